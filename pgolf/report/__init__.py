"""One standalone page about submissions, for people."""
