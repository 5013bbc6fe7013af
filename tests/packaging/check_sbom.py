#!/usr/bin/env python3
"""A file of scripts/make_sbom.py is SPDX 2.3: fields, identifiers, relationships, and checksums of the files that lie in FOLDER.
With spdx-tools (pip install spdx-tools) their validator looks at it, too.    usage: check_sbom.py SBOM FOLDER"""
import hashlib
import json
import pathlib
import re
import shutil
import subprocess
import sys

FIELDS = {
    "document": {"spdxVersion", "dataLicense", "SPDXID", "name", "documentNamespace", "creationInfo", "packages", "relationships"},
    "package": {"SPDXID", "name", "downloadLocation", "licenseConcluded", "licenseDeclared", "copyrightText"},
    "file": {"SPDXID", "fileName", "checksums", "licenseConcluded", "copyrightText"},
}
LICENCE = re.compile(r"[A-Za-z0-9.-]+( (AND|OR) [A-Za-z0-9.-]+)*")
LOCATION = re.compile(r"NOASSERTION|(git\+)?https://[\w./-]+(@[\w.-]+)?")
sbom, folder = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
made = json.loads(sbom.read_text(encoding="utf-8"))
wrong = []


def wanted(condition, what):
    if not condition:
        wrong.append(f"{sbom}: {what}")


def has_fields(kind, thing):
    missing = FIELDS[kind] - set(thing)
    wanted(not missing, f"{kind} {thing.get('name', thing.get('fileName'))} has no {sorted(missing)}")


has_fields("document", made)
wanted((made["spdxVersion"], made["dataLicense"], made["SPDXID"]) == ("SPDX-2.3", "CC0-1.0", "SPDXRef-DOCUMENT"), "not of SPDX 2.3")
wanted(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", made["creationInfo"]["created"]), "creationInfo.created is no time in UTC")
wanted(re.fullmatch(r"https://[^#]+", made["documentNamespace"]), "documentNamespace is no URI")
identifiers = [made["SPDXID"], *(x["SPDXID"] for x in [*made["packages"], *made["files"]])]
wanted(len(set(identifiers)) == len(identifiers), "an SPDXID stands twice")
wanted(all(re.fullmatch(r"SPDXRef-[A-Za-z0-9.-]+", i) for i in identifiers), f"an SPDXID has other letters: {identifiers}")
for package in made["packages"]:
    has_fields("package", package)
    wanted(LICENCE.fullmatch(package["licenseDeclared"]), f"{package['name']}: no licence is {package['licenseDeclared']}")
    wanted(LOCATION.fullmatch(package["downloadLocation"]), f"{package['name']}: nothing is at {package['downloadLocation']}")
for file in made["files"]:
    has_fields("file", file)
    data = (folder / file["fileName"]).read_bytes()
    sums = {c["algorithm"]: c["checksumValue"] for c in file["checksums"]}
    wanted(sums == {"SHA1": hashlib.sha1(data).hexdigest(), "SHA256": hashlib.sha256(data).hexdigest()},
           f"the checksums of {file['fileName']} are not the file's")
for relation in made["relationships"]:
    for end in ("spdxElementId", "relatedSpdxElement"):
        wanted(relation[end] in identifiers, f"a relationship names {relation[end]}, which is not there")
related = {r[end] for r in made["relationships"] for end in ("spdxElementId", "relatedSpdxElement")}
wanted(related == set(identifiers), f"without a relationship: {sorted(set(identifiers) - related)}")
if shutil.which("pyspdxtools"):
    said = subprocess.run(["pyspdxtools", "--infile", sbom], capture_output=True, text=True, check=False)
    wanted(said.returncode == 0, f"pyspdxtools: {said.stdout}{said.stderr}")
else:
    print("note: no pyspdxtools, so that only this script has looked")
print("\n".join(wrong) or f"{sbom.name}: {len(made['packages'])} packages, {len(made['files'])} files, {len(related)} identifiers")
sys.exit(bool(wrong))
