"""Findings become SARIF results at their lines; passes do not."""

from pgolf.verify.sarif import sarif


def record(status, name, **evidence):
    return {
        "id": name,
        "status": status,
        "message": f"about {name}\x1b",
        "evidence": evidence,
        "rule": "a rule (a source)",
    }


def test_results_and_places():
    report = {
        "folder": "records/t/my name",
        "verdict": "fail",
        "checks": [
            record("FAIL", "rule.causal", findings=[{"line": 12, "position": 3}, {"line": 12}, {"line": 0}]),
            record("WARN", "code.imports", uses=[{"what": "x", "line": 4, "file": "a.py"}]),
            record("FAIL", "claim.logged"),
            record("PASS", "size.claim"),
            record("SKIP", "run.score"),
        ],
    }
    document = sarif([report])
    run = document["runs"][0]
    assert document["version"] == "2.1.0" and [rule["id"] for rule in run["tool"]["driver"]["rules"]] == [
        "rule.causal", "code.imports", "claim.logged"
    ]  # fmt: skip
    places = [
        (
            row["level"],
            place["physicalLocation"]["artifactLocation"]["uri"],
            place["physicalLocation"]["region"]["startLine"],
        )
        for row in run["results"]
        for place in row["locations"]
    ]
    assert places == [
        ("error", "records/t/my%20name/train_gpt.py", 12),
        ("warning", "records/t/my%20name/a.py", 4),
        ("error", "records/t/my%20name/submission.json", 1),
    ]
    assert "\\x1b" in run["results"][0]["message"]["text"]
