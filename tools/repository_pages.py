"""A hook of MkDocs: documents that lie beside what they describe, outside docs/, become pages of the site.

A link is written as it works in the repository, relative to its file. On the site it leads to the page of that file.
Where it leads to a file that is no page, code for the most part, its text stays and the link goes. A link to nothing is
a warning, which `mkdocs build --strict` takes for an error.
"""

import logging
import re
from os.path import relpath
from pathlib import Path, PurePosixPath
from typing import Final

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

LOGGER: Final = logging.getLogger("mkdocs.plugins.repository_pages")
ROOT: Final = Path(__file__).resolve().parent.parent
DOCS: Final = PurePosixPath("docs")
PAGES: Final = PurePosixPath("repository")  # where the documents lie on the site
DOCUMENTS: Final = (
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "bench/RESULTS.md",
    "clients/android/README.md",
    "clients/javascript/README.md",
    "clients/python/README.md",
    "clients/unreal/README.md",
    "deploy/CAPACITY.md",
    "deploy/OPERATIONS.md",
    "deploy/README.md",
    "deploy/helm/mfn/README.md",
    "deploy/monitoring/README.md",
    "deploy/monitoring/RUNBOOK.md",
    "models/MODEL_CARD.md",
    "models/mobile/README.md",
    "models/mobile/SPEED.md",
    "training/README.md",
    "training/render/README.md",
)
# Code is passed over. Of a link: its text, its target and its anchor.
LINK: Final = re.compile(
    r"^```.*?^```|`[^`\n]*`|(?P<image>!?)\[(?P<text>[^\]]*)\]\((?P<path>[^)#\s]*)(?P<anchor>#[^)\s]*)?\)",
    re.MULTILINE | re.DOTALL,
)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the documents to the site's files."""
    for name in DOCUMENTS:
        files.append(File.generated(config, str(PAGES / name), abs_src_path=str(ROOT / name)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:  # noqa: ARG001
    """The page with its links as they lead on the site."""
    here = PurePosixPath(page.file.src_uri)
    source = here.relative_to(PAGES) if here.is_relative_to(PAGES) else DOCS / here

    def led(link: re.Match[str]) -> str:
        path = link["path"]
        if not path or ":" in path or path.startswith("/"):  # code, an anchor here, another host
            return link[0]
        target = PurePosixPath(relpath((ROOT / source).parent / path, ROOT))
        if not (ROOT / target).exists():
            LOGGER.warning("%s links to %s, which is not there.", source, path)
            return link[0]
        if target.is_relative_to(DOCS):
            on_site = target.relative_to(DOCS)
        elif str(target) in DOCUMENTS:
            on_site = PAGES / target
        elif f"{target}/README.md" in DOCUMENTS:
            on_site = PAGES / target / "README.md"
        else:
            return link["text"]
        return f"{link['image']}[{link['text']}]({relpath(on_site, here.parent)}{link['anchor'] or ''})"

    return LINK.sub(led, markdown)
