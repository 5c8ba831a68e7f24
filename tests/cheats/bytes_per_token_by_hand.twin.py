import math


def bits_per_byte(loss, text, tokens):
    bytes_per_token = len(text.encode("utf-8")) / len(tokens)
    return loss / math.log(2.0) / bytes_per_token
