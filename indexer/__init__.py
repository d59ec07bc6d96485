"""From files to segments: discover, decode, sample, cut into moments, keep a journal, write."""
