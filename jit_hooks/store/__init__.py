"""What a store is made of: paths, strict reading, records, logs. Pure: bytes in, plain data out."""
