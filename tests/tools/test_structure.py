import pytest

from tools.structure import DOCUMENT, Checkout, tree, with_tree


@pytest.fixture
def checkout(tmp_path):
    """Four layers by one subject: `a` and `b` import each other, and the domain imports a worker."""
    files = {
        "console/__init__.py": "",
        "console/loose.py": "",
        "console/services/__init__.py": "",
        "console/services/alerts/__init__.py": '"""Use cases: alerts."""',
        "console/services/alerts/a.py": "from console.services.alerts import b\n\nONE = 1\n",
        "console/services/alerts/b.py": "def f():\n    import console.services.alerts.a\n",
        "console/services/alerts/top.py": "import console.services.alerts.a\nfrom console.domain import rules\n",
        "console/domain/__init__.py": "",
        "console/domain/rules.py": "from workers.jobs import work\n",
        "console/models/__init__.py": "",
        "console/models/alerts.py": "",
        "workers/jobs/__init__.py": "",
        "workers/jobs/work.py": "",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return Checkout(tmp_path)


def test_the_tree_of_rooms_in_the_architecture_is_current():
    text = DOCUMENT.read_text("utf-8")

    assert with_tree(text, Checkout()) == text


def test_a_room_that_says_nothing_is_refused(checkout):
    with pytest.raises(ValueError, match="says nothing about the room"):
        checkout.rooms()


def test_rooms_are_drawn_below_each_other():
    drawn = tree({"console": "All.", "console/domain": "Rules.", "workers": "Work."})

    assert drawn.splitlines()[2:-1] == ["console/   All.", "  domain/  Rules.", "workers/   Work."]


def test_circles_are_found_inside_functions_too(checkout):
    assert checkout.circles() == [["console.services.alerts.a", "console.services.alerts.b"]]


def test_the_longest_chain_counts_a_circle_once(checkout):
    assert checkout.floors() == ["console.services.alerts.top", "console.domain.rules", "workers.jobs.work"]
    assert checkout.floors("console.services") == ["console.services.alerts.top", "console.services.alerts.a"]


def test_what_lies_in_no_room_and_what_points_upwards_is_told(checkout):
    assert checkout.loose() == ["loose"]
    assert checkout.importing_workers() == ["console.domain.rules"]


def test_sizes_are_told_by_layer_and_subject(checkout):
    sizes = checkout.sizes()

    assert (sizes["console/services", "alerts"].files, sizes["console/services", "alerts"].lines) == (4, 8)
    assert sizes["console/models", "alerts"].files == 1
    assert checkout.files_per_folder()["console/services/alerts"] == 3
