"""What can be known before a run is paid for: machine, data, the whole program at tiny length, bytes and seconds."""
