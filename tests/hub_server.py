"""A stand-in of the Hugging Face hub: repositories in memory, LFS objects, commits, ranges, and faults on demand."""

import base64
import hashlib
import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

TOKEN = "hf_good"
LFS_FROM = 1000
"""Files of this size and more are LFS objects."""


class Hub:
    """Its state.

    Attributes:
        repositories: "models/owner/name" -> {path: bytes}.
        objects: sha256 -> bytes.
        requests: (method, path) of all requests.
        fault: called with (method, path), may return a status to answer, or a number of bytes below 0 after which to hang up.
    """

    def __init__(self):
        self.repositories, self.objects, self.requests = {}, {}, []
        self.commits = 0
        self.fault = lambda method, path: None

    @property
    def commit(self):
        return f"{self.commits:040x}"

    def count(self, method, part):
        return sum(one == method and part in path for one, path in self.requests)


def blob_id(content):
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: Hub

    def log_message(self, *rest):
        pass

    def body(self):
        if self.headers.get("Transfer-Encoding") == "chunked":
            found = b""
            while size := int(self.rfile.readline(), 16):
                found += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return found
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def answer(self, status, document=None, headers=(), content=None, hang_up_after=None):
        content = json.dumps(document).encode() if content is None else content
        self.send_response(status)
        for name, value in dict(headers).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content if hang_up_after is None else content[:hang_up_after])
        if hang_up_after is not None:
            self.close_connection = True

    def missing(self, code, status=404):
        self.answer(status, {"error": code}, {"X-Error-Code": code, "X-Error-Message": code})

    def handle_one(self):
        path = unquote(urlsplit(self.path).path).strip("/")
        self.hub.requests.append((self.command, path))
        data = self.body()
        fault = self.hub.fault(self.command, path)
        if fault is not None and fault >= 0:
            return self.answer(fault, {"error": "made up"})
        self.hang_up_after = None if fault is None else -fault
        parts = path.split("/")
        if self.command in ("POST", "PUT") and not path.startswith("lfs/") and "paths-info" not in path:
            if self.headers.get("Authorization") not in (f"Bearer {TOKEN}", "Bearer hf_reads"):
                return self.answer(401, {"error": "Invalid credentials"})
            if self.headers.get("Authorization") == "Bearer hf_reads":
                return self.answer(403, {"error": "Forbidden"})
        if path == "api/repos/create":
            return self.create(json.loads(data))
        if parts[0] == "lfs":
            self.hub.objects[parts[1]] = data
            return self.answer(200, {})
        if ".git/info/lfs" in path:
            return self.batch(json.loads(data))
        if parts[0] == "api":
            return self.api("/".join(parts[1:4]), parts[4:], data)
        return self.resolve(parts)

    do_GET = do_HEAD = do_POST = do_PUT = handle_one

    def create(self, wanted):
        name = f"{wanted.get('organization') or 'me'}/{wanted['name'].split('/')[-1]}"
        kind = wanted.get("type") or "model"
        new = self.hub.repositories.setdefault(f"{kind}s/{name}", {})
        assert isinstance(new, dict)
        self.answer(200, {"url": f"http://{self.headers['Host']}/{name}", "name": name, "id": name})

    def batch(self, wanted):
        objects = []
        for one in wanted["objects"]:
            if one["oid"] in self.hub.objects:
                objects.append({"oid": one["oid"], "size": one["size"]})
            else:
                url = f"http://{self.headers['Host']}/lfs/{one['oid']}"
                objects.append({"oid": one["oid"], "size": one["size"], "actions": {"upload": {"href": url}}})
        self.answer(200, {"transfer": "basic", "objects": objects})

    def api(self, repository, rest, data):
        files = self.hub.repositories.get(repository)
        if files is None:
            return self.missing("RepoNotFound")
        if rest[:1] == ["preupload"]:
            modes = [
                {
                    "path": one["path"],
                    "uploadMode": "lfs" if one["size"] >= LFS_FROM else "regular",
                    "shouldIgnore": False,
                }
                for one in json.loads(data)["files"]
            ]
            return self.answer(200, {"files": modes})
        if rest[:1] == ["paths-info"]:
            try:
                paths = json.loads(data)["paths"]
            except ValueError:
                from urllib.parse import parse_qs

                paths = parse_qs(data.decode())["paths"]
            return self.answer(200, [self.entry(path, files[path]) for path in paths if path in files])
        if rest[:1] == ["commit"]:
            return self.take(repository, files, data)
        return self.answer(200, {"id": repository.partition("/")[2], "sha": self.hub.commit, "siblings": []})

    def entry(self, path, content):
        found = {"type": "file", "path": path, "size": len(content), "oid": blob_id(content)}
        if len(content) >= LFS_FROM:
            found["lfs"] = {"oid": hashlib.sha256(content).hexdigest(), "size": len(content), "pointerSize": 100}
        return found

    def take(self, repository, files, data):
        for line in data.splitlines():
            one = json.loads(line)
            value = one["value"]
            if one["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif one["key"] == "lfsFile":
                files[value["path"]] = self.hub.objects[value["oid"]]
        self.hub.commits += 1
        url = f"http://{self.headers['Host']}/{repository.partition('/')[2]}/commit/{self.hub.commit}"
        self.answer(200, {"success": True, "commitOid": self.hub.commit, "commitUrl": url, "hookOutput": ""})

    def resolve(self, parts):
        kind = "datasets" if parts[0] == "datasets" else "models"
        parts = parts[1:] if kind == "datasets" else parts
        files = self.hub.repositories.get(f"{kind}/{'/'.join(parts[:2])}")
        if files is None:
            return self.missing("RepoNotFound")
        content = files.get("/".join(parts[4:]))
        if content is None:
            return self.missing("EntryNotFound")
        large = len(content) >= LFS_FROM
        tag = hashlib.sha256(content).hexdigest() if large else blob_id(content)
        headers = {"ETag": f'"{tag}"', "X-Repo-Commit": self.hub.commit, "Accept-Ranges": "bytes"}
        begin = int((self.headers.get("Range") or "bytes=0-").removeprefix("bytes=").split("-")[0])
        if begin and self.command == "GET":
            headers["Content-Range"] = f"bytes {begin}-{len(content) - 1}/{len(content)}"
        status = 206 if begin and self.command == "GET" else 200
        return self.answer(status, headers=headers, content=content[begin:], hang_up_after=self.hang_up_after)


@contextmanager
def running_hub():
    """(hub, its URL)."""
    hub = Hub()
    handler = type("OneHub", (Handler,), {"hub": hub})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield hub, f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
