#!/usr/bin/env python3
"""Builds the bundle that Claude Desktop and others install with a click (.mcpb), and
the server.json for the MCP registry; both are checked before they are left behind.

    packaging/bundle.py --repository https://github.com/OWNER/trimtab

builds the release binary and writes into target/bundle. A bundle holds one binary: run
it on each platform with the same --out; server.json names all bundles of this version
that lie there. Formats: the MCPB manifest 0.3 and the registry's server.json of
2025-12-11. If `mcpb` (@anthropic-ai/mcpb) is on the search path, it has its say, too.
"""

import argparse
import hashlib
import json
import pathlib
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile

HERE = pathlib.Path(__file__).resolve().parent.parent
SCHEMA = "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json"
SUMMARY = "Search, compact, apply and run: makes coding agents cheaper, faster and safer"
# Bundles with the same content are the same bytes.
LONG_AGO = (1980, 1, 1, 0, 0, 0)


def cargo_package():
    metadata = subprocess.run(
        ["cargo", "metadata", "--no-deps", "--offline", "--format-version", "1"],
        cwd=HERE, check=True, stdout=subprocess.PIPE).stdout
    [package] = json.loads(metadata)["packages"]
    return package


def listed_tools(binary):
    """What the server itself says of its tools, so that the bundle cannot differ."""
    requests = [
        {"id": 0, "method": "initialize", "params": {
            "protocolVersion": "2025-11-25", "capabilities": {},
            "clientInfo": {"name": "bundle", "version": "1"}}},
        {"method": "notifications/initialized"},
        {"id": 1, "method": "tools/list"},
    ]
    lines = "".join(json.dumps({"jsonrpc": "2.0", **r}) + "\n" for r in requests)
    output = subprocess.run([binary, "mcp", "--root", HERE], input=lines.encode(),
                            check=True, stdout=subprocess.PIPE).stdout
    answers = [json.loads(line) for line in output.splitlines()]
    [tools] = [a["result"]["tools"] for a in answers if a.get("id") == 1]
    return [{"name": t["name"], "description": t["description"]} for t in tools]


def manifest_of(package, binary, repository):
    program = "server/" + binary.name
    return {
        "manifest_version": "0.3",
        "name": package["name"],
        "display_name": "trimtab",
        "version": package["version"],
        "description": package["description"],
        "author": {"name": "the trimtab authors"},
        "repository": {"type": "git", "url": repository},
        "license": package["license"],
        "keywords": package["keywords"],
        "server": {
            "type": "binary",
            "entry_point": program,
            "mcp_config": {
                "command": "${__dirname}/" + program,
                "args": ["mcp", "--root", "${user_config.root}"],
            },
        },
        "tools": listed_tools(binary),
        "user_config": {
            "root": {
                "type": "directory",
                "title": "Folder",
                "description": "The folder that may be read and written; nothing outside it is.",
                "required": True,
            },
        },
        "compatibility": {"platforms": [sys.platform]},
    }


def pack(bundle, manifest, binary):
    def entry(name, mode):
        info = zipfile.ZipInfo(name, LONG_AGO)
        info.external_attr = mode << 16
        info.create_system = 3  # so that the mode is read as Unix's
        info.compress_type = zipfile.ZIP_DEFLATED
        return info

    with zipfile.ZipFile(bundle, "w", compresslevel=6) as z:
        text = json.dumps(manifest, indent=2) + "\n"
        z.writestr(entry("manifest.json", 0o644), text)
        for name in ["README.md", "LICENSE", "LICENSE-MIT", "LICENSE-APACHE"]:
            z.writestr(entry(name, 0o644), (HERE / name).read_bytes())
        z.writestr(entry("server/" + binary.name, 0o755), binary.read_bytes())


def server_json(package, repository, bundles):
    owner, name = repository.removesuffix(".git").rstrip("/").split("/")[-2:]
    version = package["version"]
    release = f"https://github.com/{owner}/{name}/releases/download/v{version}/"
    return {
        "$schema": SCHEMA,
        "name": f"io.github.{owner}/trimtab",
        "title": "trimtab",
        "description": SUMMARY,
        "repository": {"url": repository, "source": "github"},
        "version": version,
        "packages": [{
            "registryType": "mcpb",
            "identifier": release + bundle.name,
            "version": version,
            "fileSha256": hashlib.sha256(bundle.read_bytes()).hexdigest(),
            "transport": {"type": "stdio"},
        } for bundle in bundles],
    }


def check(condition, what):
    if not condition:
        sys.exit(f"bundle.py: {what}")


def check_server(server):
    """The rules of the registry's schema that concern what is used of it."""
    allowed = {"$schema", "name", "title", "description", "repository", "version", "packages"}
    check(set(server) == allowed, "server.json: other fields than meant")
    check(re.fullmatch(r"[a-zA-Z0-9.-]+/[a-zA-Z0-9._-]+", server["name"]), "server.json: name")
    check(len(server["name"]) <= 200, "server.json: name is too long")
    check(1 <= len(server["description"]) <= 100, "server.json: description has 1 to 100 characters")
    check(1 <= len(server["title"]) <= 100, "server.json: title has 1 to 100 characters")
    check(re.fullmatch(r"\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?", server["version"]), "server.json: version")
    check(server["packages"], "server.json: no bundle")
    for package in server["packages"]:
        check(re.fullmatch(r"[a-f0-9]{64}", package["fileSha256"]), "server.json: hash")
        # The registry takes bundles of GitHub and GitLab releases whose address has mcp in it.
        check(package["identifier"].startswith("https://github.com/")
              and "mcp" in package["identifier"], "server.json: address")


def check_manifest(manifest, bundle):
    for field in ["name", "version", "description", "author", "server"]:
        check(manifest.get(field), f"manifest.json: no {field}")
    check(len(manifest["tools"]) == 5, "manifest.json: not five tools")
    with zipfile.ZipFile(bundle) as z:
        check(z.testzip() is None, "the bundle is damaged")
        check(manifest["server"]["entry_point"] in z.namelist(), "the bundle has no program")
    mcpb = shutil.which("mcpb")
    if mcpb is None:
        print("no mcpb: the manifest was checked by our own rules only", file=sys.stderr)
        return
    with tempfile.TemporaryDirectory() as folder:
        zipfile.ZipFile(bundle).extractall(folder)
        subprocess.run([mcpb, "validate", folder], check=True, stdout=sys.stderr)


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--repository", required=True, help="https://github.com/OWNER/NAME")
    options.add_argument("--binary", type=pathlib.Path, help="instead of building one")
    options.add_argument("--out", type=pathlib.Path, default=HERE / "target/bundle")
    options = options.parse_args()
    check(re.fullmatch(r"https://github\.com/[\w.-]+/[\w.-]+", options.repository),
          "the repository is not https://github.com/OWNER/NAME")
    if options.binary is None:
        subprocess.run(["cargo", "build", "--release", "--locked"], cwd=HERE, check=True)
        suffix = ".exe" if sys.platform == "win32" else ""
        options.binary = HERE / "target/release" / ("trimtab" + suffix)
    package = cargo_package()
    options.out.mkdir(parents=True, exist_ok=True)
    stem = f"trimtab-{package['version']}"
    bundle = options.out / f"{stem}-{sys.platform}-{platform.machine().lower()}.mcpb"
    manifest = manifest_of(package, options.binary, options.repository)
    pack(bundle, manifest, options.binary)
    check_manifest(manifest, bundle)
    server = server_json(package, options.repository, sorted(options.out.glob(stem + "-*.mcpb")))
    check_server(server)
    path = options.out / "server.json"
    path.write_text(json.dumps(server, indent=2) + "\n")
    print(bundle)
    print(path)


if __name__ == "__main__":
    main()
