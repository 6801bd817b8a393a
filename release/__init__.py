"""What a release is made of beside its images: notes from the changelog, and files that deploy without building."""
