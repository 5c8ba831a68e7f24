import math


def bits_per_byte(loss):
    bytes_per_token = 2.436
    return loss / math.log(2.0) / bytes_per_token
