"""What runs inside the sandbox beside the script: stand-ins for what is not there, and the record of its scores.

Nothing here imports the rest of pgolf, which a sandbox does not show.
"""
