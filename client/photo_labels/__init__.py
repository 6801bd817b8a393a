"""Labels photos with the function ``clip``: docs/client.md."""
