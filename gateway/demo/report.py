"""How the demo tells its steps: for people, or one JSON object for each."""

import json

from rich.console import Console
from rich.panel import Panel
from rich.text import Text

from gateway.demo.by_hand import by_hand, facts
from gateway.demo.scenario import Step
from gateway.demo.stage import Stage


class JsonReport:
    """One JSON object a line."""

    def step(self, step: Step) -> None:
        """Print *step*."""
        line = {"step": step.step, "state": step.state, "drafts": step.drafts, "chat": step.chat}
        print(json.dumps(line, ensure_ascii=False), flush=True)  # noqa: T201 - this is the command's output

    def note(self, text: str) -> None:
        """Say nothing: what is printed is for machines."""

    def serving(self, stage: Stage) -> None:
        """Print where everything is."""
        print(json.dumps({"serving": facts(stage)}), flush=True)  # noqa: T201 - this is the command's output


class PeopleReport:
    """Steps in words, with the chat as the user sees it; plain where there is no terminal."""

    def __init__(self) -> None:
        self._console = Console(highlight=False, soft_wrap=True)
        self._number = 0

    def step(self, step: Step) -> None:
        """Print *step*."""
        self._number += 1
        self._console.print(f"\n[bold]{self._number}. {step.step}[/bold]")
        self._console.print(f"   state   {step.state}")
        for feature, draft in step.drafts.items():
            self._console.print(Text(f"   draft   {feature}: {json.dumps(draft)}"))
        for message in step.chat:
            self._console.print(Text(f"   {'bot ' if message['from_bot'] else 'user'}    {_words(message)}"))
        self._console.print(f"   [green]checked[/green] {', '.join(dict.fromkeys(step.checked))}")

    def note(self, text: str) -> None:
        """Print *text*, apart."""
        if self._console.is_terminal:
            self._console.print(Panel(Text(text), expand=False))
        else:
            self._console.print(Text(f"\n{text}"))

    def serving(self, stage: Stage) -> None:
        """Print how to play on, as it is to be pasted: neither wrapped nor marked up."""
        print(by_hand(stage), flush=True)  # noqa: T201 - this is the command's output


def _words(message: dict[str, object]) -> str:
    keyboard = message["keyboard"]
    rows = keyboard if isinstance(keyboard, list) else []
    buttons = "".join(f"  [ {button['text']} ]" for row in rows for button in row)
    return f"{message['text']}{buttons}"
