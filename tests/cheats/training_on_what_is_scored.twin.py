import argparse

parser = argparse.ArgumentParser()
parser.add_argument("--val-docs", type=int, default=50_000)
