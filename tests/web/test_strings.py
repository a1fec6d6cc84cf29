from service import catalogues
from service.models import Category, Site
from service.web import strings

ENGLISH = catalogues.every()["en"]["widget"]


def test_widget_names_the_categories_there_are() -> None:
    named = [name for name in ENGLISH if name.startswith("category_")]
    assert named == [f"category_{category.value}" for category in Category]


def test_widget_is_served_its_own_group_alone(site: Site) -> None:
    assert strings.widget(site, "en")["strings"] == ENGLISH


def test_readers_are_offered_the_categories_of_the_site(site: Site) -> None:
    site.categories = ["typo", "fact"]
    words = strings.widget(site, "en")["strings"]
    assert [name for name in words if name.startswith("category_")] == [
        "category_typo",
        "category_fact",
    ]
