"""The commands of the command line, one file per subject; each is imported when it is used."""
