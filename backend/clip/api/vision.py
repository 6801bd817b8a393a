"""``POST /api/v1/vision/labels``: labels of photos, in the form of PhotoPrism's vision service.

https://docs.photoprism.app/developer-guide/vision/
"""

from server.interface import Event, Response

from ..deadline import Deadline
from ..errors import BadParameter
from ..limits import MAX_LABEL_CHARACTERS
from ..service import Service
from . import answer, photoprism
from .endpoint import Endpoint
from .json_object import read_object

_IMAGES = "images"


def label(service: Service, event: Event, deadline: Deadline) -> Response:
    """The labels of the images together: PhotoPrism sends several of one photo."""
    # What else a request has depends on the version of PhotoPrism: hints to models of language, which are not read.
    values = read_object(event.body, _IMAGES)
    request_id = values.get("id") or ""
    if not isinstance(request_id, str) or len(request_id) > MAX_LABEL_CHARACTERS:
        raise BadParameter(f"id must be a string of at most {MAX_LABEL_CHARACTERS} characters.")
    if values.get("url"):
        raise BadParameter("No url is fetched: in vision.yml, set RequestFormat to vision and FileScheme to data.")
    found = photoprism.labels(service, event, _IMAGES, values.get(_IMAGES), deadline)
    said = {
        "id": request_id,
        "code": 200,
        "model": {"type": "labels", "name": service.recognizer.manifest.title},
        "result": {"labels": [{"source": "image"} | each for each in found.listed(with_categories=True)]},
    }
    return answer.json_response(200, said, found.headers)


ENDPOINT = Endpoint("/api/v1/vision/labels", {"POST": label}, photoprism.error)
