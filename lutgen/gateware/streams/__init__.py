"""Streams of beats: AXI4-Stream, queues, and beats cut and joined anew."""
