from service.text.html import article_text

__all__ = ["article_text"]
