"""Small stacks of throwaway functions."""

from pathlib import Path

from tests.template.function import HANDLER

STACK = """
version: 1.0
provider:
  name: openfaas
  gateway: ${OPENFAAS_URL:-http://127.0.0.1:8080}
functions:
  echo:
    lang: python3
    handler: ./echo
    image: example/echo:${TAG:-latest}
    environment:
      exec_timeout: 2s
      max_inflight: "4"
      greeting: ${NO_SUCH_VARIABLE:-hello}
    labels:
      color: blue
    limits:
      memory: 64Mi
  caller:
    lang: python3-debian
    handler: ./caller
    image: example/caller:latest
    build_args:
      MODEL: ${MODEL:-bundled}
"""

CALLER = """
import json, os, pathlib, urllib.request

def handle(event, context):
    if event.path == "/environment":
        return {"body": json.dumps(dict(os.environ))}
    if event.path == "/files":
        here = pathlib.Path.cwd()
        return {"body": json.dumps(sorted(str(p.relative_to(here)) for p in here.rglob("*") if p.is_file()))}
    if event.path == "/model":
        return {"body": (pathlib.Path(__file__).parent / "model" / "model.json").read_bytes()}
    if event.path == "/pid":
        return {"body": str(os.getpid())}
    if event.path == "/crash":
        os._exit(7)
    request = urllib.request.Request(os.environ["gateway_url"] + "/function/echo/echo", event.body)
    with urllib.request.urlopen(request) as answer:
        return {"body": answer.read()}
"""


def write_stack(folder: Path, echo: str = HANDLER) -> Path:
    """A stack file with two functions: ``echo`` does what its path says, ``caller`` calls it over the gateway."""
    for name, handler in {"echo": echo, "caller": CALLER}.items():
        (folder / name / "tests").mkdir(parents=True)
        (folder / name / "handler.py").write_text(handler, encoding="utf-8")
        (folder / name / "tests" / "test_it.py").write_text("", encoding="utf-8")
    for model in ("bundled", "other"):
        place = folder / "caller" / "model" if model == "bundled" else folder / "other"
        place.mkdir()
        (place / "model.json").write_text(f'"{model}"', encoding="utf-8")
    path = folder / "stack.yml"
    path.write_text(STACK, encoding="utf-8")
    return path
