"""Charts as tests build them: a few files, packed as `helm package` or an attacker would."""

import io
import tarfile
from collections.abc import Mapping
from pathlib import Path

ABOUT = "apiVersion: v2\nname: shop\nversion: 1.2.3\n"
DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}
spec:
  replicas: {{ .Values.replicas }}
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec:
      containers:
        - name: shop
          image: "{{ .Values.image.repository }}:{{ .Values.image.tag | default "4.5" }}"
"""
VALUES = "replicas: 2\nimage: {repository: ghcr.io/acme/shop, tag: ''}\n"
CHART = {
    "Chart.yaml": ABOUT + 'appVersion: "4.5"\n',
    "values.yaml": VALUES,
    "templates/deployment.yaml": DEPLOYMENT,
}


def packed(files: Mapping[str, str | bytes], *, top: str = "shop/", **links: str) -> bytes:
    """A .tgz with the files below `top`, and symbolic links."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as archive:
        for name, text in files.items():
            data = text if isinstance(text, bytes) else text.encode()
            member = tarfile.TarInfo(top + name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
        for name, target in links.items():
            member = tarfile.TarInfo(top + name)
            member.type, member.linkname = tarfile.SYMTYPE, target
            archive.addfile(member)
    return made.getvalue()


def laid(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    """The same as a folder."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder
