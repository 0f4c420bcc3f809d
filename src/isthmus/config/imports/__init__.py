"""Configuration files of other systems, read into ours. One file a system; each is a pure function of a document."""
