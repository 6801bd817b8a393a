"""Labels a whole folder of photos with the function ``clip``, several at a time: docs/client.md."""
