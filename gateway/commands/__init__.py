"""What `gateway` can be told to do, one file for each command."""
