#!/usr/bin/env python3
"""What a release is made of, as SPDX 2.3 in JSON: nucdet, its weights, what it needs (packaging/dependencies.json) in the versions
that this machine has, and the release's files with their checksums.
usage: make_sbom.py OUT FILE...      SOURCE_DATE_EPOCH: the time that it says, else now
A dependency that is not found here stands without a version, and is named on stderr."""
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys
import time
import uuid

ROOT = pathlib.Path(__file__).resolve().parent.parent
LINKS = {"shared": "DYNAMIC_LINK", "headers": "STATIC_LINK", "run": "DEPENDS_ON"}
PARTS = {"program": "by the program alone", "Python": "by the Python module alone"}


def answer(*command):
    """The first line that a program prints; None where it fails or is not there."""
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split("\n")[0].strip() or None
    except (OSError, subprocess.CalledProcessError):
        return None


def versions(dependency):
    """(its own version, its Debian package's version), each None where it is not known."""
    debian = answer("dpkg-query", "--show", "--showformat=${Version}", dependency["debian"])
    own = answer("pkg-config", "--modversion", dependency["pkgconfig"]) if dependency["pkgconfig"] else None
    if own is None and debian:
        own = re.sub(r"^\d+:|[-+~][^-]*$|\+(dfsg|ds).*", "", debian)
    if own is None:
        print(f"make_sbom.py: {dependency['name']} was not found here ({dependency['debian']})", file=sys.stderr)
    return own, debian


def checksums(path, *algorithms):
    data = path.read_bytes()
    return [{"algorithm": a, "checksumValue": hashlib.new(a.lower(), data).hexdigest()} for a in algorithms]


def identifier(kind, name):
    return f"SPDXRef-{kind}-" + re.sub(r"[^A-Za-z0-9.-]", "-", name)


def package(name, licence, purpose, **more):
    return {"SPDXID": identifier("Package", name), "name": name, "downloadLocation": "NOASSERTION", "filesAnalyzed": False,
            "licenseConcluded": licence, "licenseDeclared": licence, "copyrightText": "NOASSERTION",
            "primaryPackagePurpose": purpose, **more}


def package_of(dependency):
    own, debian = versions(dependency)
    more = {"downloadLocation": dependency["source"].format(version=own) if own else "NOASSERTION"}
    if own:
        more["versionInfo"] = own
    if debian:
        purl = f"pkg:deb/debian/{dependency['debian']}@{debian.replace('+', '%2B').replace(':', '%3A')}?distro=debian-12"
        more["externalRefs"] = [{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": purl}]
    return package(dependency["name"], dependency["licence"], "LIBRARY", **more)


def packages_of_weights():
    for path in sorted((ROOT / "models").glob("*.safetensors")):
        licence = "CC-BY-4.0" if path.stem == "nuclei-he-0.1.0" else "CC-BY-4.0 AND BSD-3-Clause"  # models/README.md
        yield package(path.name, licence, "FILE", packageFileName=path.name, checksums=checksums(path, "SHA1", "SHA256"))


def relation(one, kind, other, comment=None):
    return {"spdxElementId": one, "relationshipType": kind, "relatedSpdxElement": other} | ({"comment": comment} if comment else {})


def document(files):
    version = ".".join(re.findall(r"NUCDET_VERSION_(?:MAJOR|MINOR|PATCH) (\d+)", (ROOT / "include/nucdet/version.hpp").read_text()))
    nucdet = package("nucdet", "Apache-2.0", "APPLICATION", versionInfo=version)
    packages, relations = [nucdet], [relation("SPDXRef-DOCUMENT", "DESCRIBES", nucdet["SPDXID"])]
    for dependency in json.loads((ROOT / "packaging/dependencies.json").read_text(encoding="utf-8")):
        packages.append(package_of(dependency))
        relations.append(relation(nucdet["SPDXID"], LINKS[dependency["linked"]], packages[-1]["SPDXID"],
                                  PARTS.get(dependency.get("only"))))
    for weights in packages_of_weights():
        packages.append(weights)
        relations.append(relation(nucdet["SPDXID"], "CONTAINS", weights["SPDXID"]))
    artefacts = []
    for path in sorted(files, key=lambda p: p.name):
        artefacts.append({"SPDXID": identifier("File", path.name), "fileName": f"./{path.name}", "fileTypes": ["ARCHIVE"],
                          "checksums": checksums(path, "SHA1", "SHA256"), "copyrightText": "NOASSERTION",
                          "licenseConcluded": "Apache-2.0 AND CC-BY-4.0 AND BSD-3-Clause"})
        relations.append(relation(artefacts[-1]["SPDXID"], "GENERATED_FROM", nucdet["SPDXID"]))
    created = time.gmtime(int(os.environ.get("SOURCE_DATE_EPOCH", time.time())))
    content = {"packages": packages, "files": artefacts, "relationships": relations}
    unique = uuid.uuid5(uuid.NAMESPACE_URL, json.dumps([version, created, content]))
    return {"spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT", "name": f"nucdet-{version}",
            "documentNamespace": f"https://spdx.org/spdxdocs/nucdet-{version}-{unique}",
            "creationInfo": {"created": time.strftime("%Y-%m-%dT%H:%M:%SZ", created), "creators": [f"Tool: make_sbom.py-{version}"]},
            **content}


if __name__ == "__main__":
    if len(sys.argv) < 3 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    made = document([pathlib.Path(name) for name in sys.argv[2:]])
    pathlib.Path(sys.argv[1]).write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")
    print(f"{sys.argv[1]}: {len(made['packages'])} packages, {len(made['files'])} files")
