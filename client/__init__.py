"""Labels a whole folder of photos with the function `clip`, as many at a time as it takes: docs/client.md."""
