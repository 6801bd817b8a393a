"""python -m release: the steps of the release workflow.

python -m release version
python -m release check v1.2.3        # the tag is the version, and the changelog has a section on it
python -m release notes
python -m release arguments clip      # the build arguments of its image
python -m release functions           # what deploy/functions/functions.yaml holds
python -m release files --out FOLDER --source URL index=NAME@sha256:DIGEST clip=NAME@sha256:DIGEST
"""

import argparse
import json
import sys
from pathlib import Path

import yaml

from backend.clip.version import VERSION

from . import changelog, files


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m release", description=(__doc__ or "").partition("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("version", help="print the version")
    commands.add_parser("notes", help="print what the changelog says of it")
    commands.add_parser("functions", help="print the functions as resources of Kubernetes")
    check = commands.add_parser("check", help="fail unless this tag can be released")
    check.add_argument("tag")
    arguments_of = commands.add_parser("arguments", help="print a function's build arguments, NAME=VALUE a line")
    arguments_of.add_argument("function")
    written = commands.add_parser("files", help="write stack.yml and functions.json")
    written.add_argument("--out", type=Path, required=True)
    written.add_argument("--source", required=True, help="the address of the repository")
    written.add_argument("image", nargs="+", help="FUNCTION=NAME@sha256:DIGEST")
    arguments = parser.parse_args()
    try:
        return _run(arguments)
    except changelog.ReleaseError as error:
        print(f"release: {error}", file=sys.stderr)
        return 1


def _run(arguments: argparse.Namespace) -> int:
    text = (changelog.PROJECT / "CHANGELOG.md").read_text(encoding="utf-8")
    match arguments.command:
        case "version":
            print(VERSION)
        case "notes":
            print(changelog.notes(text, VERSION))
        case "check":
            changelog.notes(text, VERSION)
            if arguments.tag != f"v{VERSION}":
                raise changelog.ReleaseError(f"the tag {arguments.tag} is not v{VERSION} of backend/clip/version.py.")
            if changelog.client_version() != VERSION:
                raise changelog.ReleaseError(f"client/pyproject.toml has another version than {VERSION}.")
        case "arguments":
            print("\n".join(files.build_arguments(arguments.function, VERSION)))
        case "functions":
            print(files.function_resources(), end="")
        case "files":
            images = dict(image.split("=", 1) for image in arguments.image if "=" in image)
            stack = yaml.safe_dump(files.stack_file(images), sort_keys=False, width=120)
            store = json.dumps(files.store_file(images, arguments.source), indent=2)
            arguments.out.mkdir(parents=True, exist_ok=True)
            (arguments.out / "stack.yml").write_text(stack, encoding="utf-8")
            (arguments.out / "functions.json").write_text(store + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
