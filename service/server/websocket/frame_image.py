"""The picture of a message: a file's bytes, or a data URL as a canvas gives it."""

from service.errors import too_many_bytes
from service.server.base64_text import DATA_URL_HEAD, decode_base64, encoded_size, is_data_url
from service.settings import Settings
from service.vision.image import Picture, decode


def longest_message(max_bytes: int) -> int:
    """The most bytes of a message that may hold a picture of max_bytes bytes: those of its data URL."""
    return DATA_URL_HEAD + encoded_size(max_bytes)


def is_picture(message: str) -> bool:
    """Whether a text message is a data URL."""
    return is_data_url(message[:DATA_URL_HEAD].encode())


class FrameImage:
    """The picture of a message, decoded from base64 when it is first loaded, in the thread that decodes it."""

    def __init__(self, message: bytes | str, settings: Settings) -> None:
        """message: the file's bytes, without a stamp, or its data URL."""
        self._message = message
        self._settings = settings

    def load(self, side: int) -> Picture:
        """Decodes the picture; an ImageLoader. Raises RequestError where the message holds none that can be decoded."""
        if isinstance(self._message, str):
            self._message = decode_base64(self._message.encode(), "The data URL")
        if len(self._message) > self._settings.max_bytes:
            raise too_many_bytes(self._settings.max_bytes)
        return decode(self._message, side, self._settings.max_megapixels)
