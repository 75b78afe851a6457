"""Files as streams: packets of tiles, headers, pixels in raster order."""
