"""Files: archives of arrays, and writes that leave a whole file or none."""
