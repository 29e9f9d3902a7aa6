"""The relay's pure core: bytes and times in, bytes and decisions out. No clock, socket, thread, Django or PyAV."""
