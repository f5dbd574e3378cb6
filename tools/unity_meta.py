"""Unity's .meta files: `python -m tools.unity_meta` writes those that clients/unity lacks, removes those of no file.

Scenes and prefabs refer to a script by the GUID in its .meta file. A new file's is the MD5 of its path in the package;
one that is there stays as it is: rename a file together with its .meta, or every scene that uses it loses it. `--check`
writes nothing and fails where something is to be done.
"""

import argparse
import sys
from hashlib import md5
from pathlib import Path
from typing import Final

PACKAGE: Final = Path(__file__).resolve().parent.parent / "clients/unity"
NAME: Final = "com.mfn.unity"

MEMBERS: Final = "  userData:\n  assetBundleName:\n  assetBundleVariant:\n"
FOLDER: Final = f"folderAsset: yes\nDefaultImporter:\n  externalObjects: {{}}\n{MEMBERS}"
SCRIPT: Final = (
    "MonoImporter:\n  externalObjects: {}\n  serializedVersion: 2\n  defaultReferences: []\n  executionOrder: 0\n"
    f"  icon: {{instanceID: 0}}\n{MEMBERS}"
)
IMPORTERS: Final = {
    ".cs": SCRIPT,
    ".asmdef": f"AssemblyDefinitionImporter:\n  externalObjects: {{}}\n{MEMBERS}",
    ".json": f"PackageManifestImporter:\n  externalObjects: {{}}\n{MEMBERS}",
    ".md": f"TextScriptImporter:\n  externalObjects: {{}}\n{MEMBERS}",
}
OTHER: Final = f"DefaultImporter:\n  externalObjects: {{}}\n{MEMBERS}"


def meta_of(path: Path, package: Path) -> str:
    """The text of a new .meta file. path: of a file or folder in the package."""
    guid = md5(f"{NAME}/{path.relative_to(package).as_posix()}".encode(), usedforsecurity=False).hexdigest()
    importer = FOLDER if path.is_dir() else IMPORTERS.get(path.suffix, OTHER)
    return f"fileFormatVersion: 2\nguid: {guid}\n{importer}"


def assets(package: Path) -> list[Path]:
    """Files and folders that Unity sees: not those below a name that ends with a tilde or begins with a dot."""
    return [
        path
        for path in sorted(package.rglob("*"))
        if path.suffix != ".meta"
        and not any(part.endswith("~") or part.startswith(".") for part in path.relative_to(package).parts)
    ]


def meta_path(path: Path) -> Path:
    """The .meta file of a file or folder."""
    return path.with_name(f"{path.name}.meta")


def missing(package: Path) -> list[Path]:
    """What has no .meta file."""
    return [path for path in assets(package) if not meta_path(path).is_file()]


def left_over(package: Path) -> list[Path]:
    """The .meta files of what is not there."""
    wanted = {meta_path(path) for path in assets(package)}
    return [path for path in sorted(package.rglob("*.meta")) if path not in wanted]


def main(arguments: list[str], package: Path = PACKAGE) -> int:
    """Writes and removes .meta files, or tells which; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.unity_meta", description="Unity's .meta files.")
    parser.add_argument("--check", action="store_true", help="write nothing, fail where something is to be done")
    check = parser.parse_args(arguments).check
    new, old = missing(package), left_over(package)
    for path in new:
        print(f"{path.relative_to(package)} has no .meta file")
        if not check:
            meta_path(path).write_text(meta_of(path, package), encoding="utf-8", newline="\n")
    for path in old:
        print(f"{path.relative_to(package)} is of no file")
        if not check:
            path.unlink()
    return int(check and bool(new or old))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
