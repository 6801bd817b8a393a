"""The functions and a gateway on this computer, without containers: for development and for trying them out."""
