import argparse

parser = argparse.ArgumentParser()
parser.add_argument("--val-docs", type=int, default=10_000, help="The next 40,000 become training data.")
