import httpx2
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from tests.service.tiny_models import encoded


@pytest.mark.parametrize("keyword", ["exif", "transparency", "interlace"])
def test_text_of_any_keyword_is_no_problem(client: httpx2.Client, photo: Image.Image, keyword: str) -> None:
    for international in (False, True):
        info = PngInfo()
        (info.add_itxt if international else info.add_text)(keyword, "1", zip=True)
        data = encoded(photo, "PNG", pnginfo=info)
        answer = client.post("/retarget", content=data, headers={"Content-Type": "image/png"})
        assert (answer.status_code, len(answer.json()["faces"])) == (200, 1), answer.text
