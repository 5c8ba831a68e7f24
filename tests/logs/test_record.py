"""What a record makes of the lines that it has."""

from pgolf.logs import parse_log


def test_labels_mislead_and_are_kept():
    run = parse_log("final_int8_zlib_roundtrip_exact sliding val_loss:2.1 sliding val_bpb:1.24\n")
    assert run.headline.label == "final_int8_zlib_roundtrip sliding" and run.headline.exact


def test_the_time_of_an_exact_line_is_that_of_a_line_with_its_numbers():
    text = "final_a val_loss:2.1000 val_bpb:1.2000 eval_time:5ms\nfinal_b_exact val_loss:2.10001 val_bpb:1.20001\n"
    assert parse_log(text).eval_ms == 5.0
    other = "final_b val_loss:2.5000 val_bpb:1.3000 eval_time:9ms\n"
    assert parse_log(other + text).eval_ms == 5.0


def test_four_digits_at_the_end_are_no_twin_of_other_digits():
    run = parse_log("final_x_exact val_loss:2.20000000 val_bpb:1.30000000\nfinal_x val_loss:2.1 val_bpb:1.2000\n")
    assert run.headline.val_bpb == "1.2000"
