"""The management APIs of other systems, one file each: their paths and their shapes, over the functions of ours."""
