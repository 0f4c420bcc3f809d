"""What models can do, one file for each maker. Rows of data; the first that matches a name holds."""
