"""The gateway's `/system` routes, in the form that faas-cli reads; they describe, and change nothing."""

import platform

from aiohttp import web

from .gateway import NAMESPACE, Gateway, Route

_VERSION = {"sha": "", "release": "local"}


def _status(route: Route) -> dict[str, object]:
    definition = route.function.definition
    return {
        "name": route.function.name,
        "image": route.function.image,
        "namespace": NAMESPACE,
        "envProcess": "python index.py",
        "envVars": dict(route.function.environment),
        "labels": definition.get("labels") or {},
        "annotations": definition.get("annotations") or {},
        "limits": definition.get("limits"),
        "requests": definition.get("requests"),
        "readOnlyRootFilesystem": definition.get("readonly_root_filesystem", False),
        "invocationCount": route.invocations,
        "replicas": 1,
        "availableReplicas": int(route.process.running),
        "createdAt": route.created,
    }


def routes(gateway: Gateway) -> list[web.RouteDef]:
    async def functions(_request: web.Request) -> web.Response:
        return web.json_response([_status(route) for route in gateway.routes.values()])

    async def function(request: web.Request) -> web.Response:
        return web.json_response(_status(gateway.route(request)))

    async def info(_request: web.Request) -> web.Response:
        provider = {"provider": "local", "version": _VERSION, "orchestration": "processes"}
        return web.json_response({"provider": provider, "version": _VERSION, "arch": platform.machine()})

    async def healthz(_request: web.Request) -> web.Response:
        return web.Response(text="OK")

    return [
        web.get("/system/functions", functions),
        web.get("/system/function/{name}", function),
        web.get("/system/info", info),
        web.get("/healthz", healthz),
    ]
