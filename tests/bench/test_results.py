"""Sections of RESULTS.md."""

from bench.results import table, with_figures

TEXT = "# Measured\n\n## One\n\nWords.\n\n<!-- one:begin -->\nold\n<!-- one:end -->\n\nMore words.\n"


def test_figures_replace_those_of_their_section_only() -> None:
    text = with_figures(TEXT, "one", "not needed", "new\nlines")
    assert text == TEXT.replace("old", "new\nlines")


def test_a_section_that_is_lacking_is_appended_and_replaced_next_time() -> None:
    text = with_figures(TEXT, "two", "## Two\n\nWhat it is.", "first")
    assert text == f"{TEXT}\n## Two\n\nWhat it is.\n\n<!-- two:begin -->\nfirst\n<!-- two:end -->\n"
    assert with_figures(text, "two", "## Two", "second") == text.replace("first", "second")


def test_a_table() -> None:
    assert table(["what", "ms"], [["a", "1.0"], ["b", "2.0"]]) == "| what | ms |\n|---|---|\n| a | 1.0 |\n| b | 2.0 |"
