"""The checkpoints that their makers publish: where they lie, how large they are, what they hash to."""

from dataclasses import dataclass
from pathlib import Path

ADA = "https://nvlabs-fi-cdn.nvidia.com/stylegan2-ada-pytorch/pretrained/"
NGC = "https://api.ngc.nvidia.com/v2/models/nvidia/research/stylegan2/versions/1/files/"
TENSORFLOW = "https://nvlabs-fi-cdn.nvidia.com/stylegan2/networks/"
TENSORFLOW_MIRROR = "http://d36zk2xti64re0.cloudfront.net/stylegan2/networks/"
DISTILLED = "https://storage.googleapis.com/self-distilled-stylegan/"
STYLEGAN3 = "https://api.ngc.nvidia.com/v2/models/nvidia/research/stylegan3/versions/1/files/"
DRIVE = "https://drive.google.com/uc?id="
COPIES = "https://huggingface.co/DragGan/DragGan-Models/resolve/main/"

NVIDIA = "NVIDIA Source Code License, non-commercial use"
APACHE = "Apache-2.0"
CREATIVE_COMMONS = "CC BY-NC 4.0, non-commercial use"
UNKNOWN = "unknown: see its source"

SHA256 = {
    "ffhq": ("a205a346e86a9ddaae702e118097d014b7b8bd719491396a162cca438f2f524c", 2),
    "ffhq-512": ("d2b1c92f41ce8a64c55f7a75ef06c4c0eef9e17b1eb29aae8c10fb37b3e60478", 1),
    "ffhq-config-f": ("adf127ea7bb8a7788c8bdeda3c9937f7310b669b09ecf799ca53a631ff46948d", 1),
    "metfaces": ("880a460d011a3696c088f58f5844b44271b17903963f2671f96f72dfbce5f76f", 1),
    "afhqcat": ("17a83abee464242f8bb40dc6363d33c2fb087066b68fc0147677fdbf21f7a7a9", 1),
    "afhqdog": ("f124ff3f23206052473a7212cbc1f4e095a73c231500411e9c3b81a11eac3662", 1),
    "brecahad": ("f9f0c2766187aff4c3424c4a5a67d52c503672f28cf08eab645382523b7a5161", 1),
    "cifar10": ("f8952c74e23da2186d147ad871c48780bd59500ee37c301201081ee8e0cb32f1", 1),
    "car": ("e1618eee2b3ce87c4a3849442f7850ef12a478556bff035c8e09ee7e23b3794c", 1),
    "cat": ("08940fd616cfaf6bc7b0286b5d1a0b3f70febb26e136d64716c8d3f5e9bd3883", 1),
    "church": ("4090c5f83b44b83475c84864188aa39a0fb72694492302b7e6af36aad0d18104", 1),
    "horse": ("cbc73372c7d82d095913ca8b4b9f170560777175bd7c3b8a75dd55d70807f32b", 1),
    "lions": ("0a01ff8344521171b1a2eff1e9a51c1acbc48221bdc2594919187f66a3942bcc", 2),
    "horses-256": ("f100dc32e2731a293f3b31a9038416f72aa5cc30555b3315a82e19c065f81b0c", 2),
    "dogs": ("c9e93090d02916165a602c728c0e37458fc0c58fbc58e4d75bcd096bb81c7e8c", 1),
    "elephants": ("56504894f6d7121959af78a74148cf1e9d858e3710312efb11c41dbf27684363", 1),
    "giraffes": ("2d0976d4602f054d048de9e0d9b3171bb72a269cfd14896c75547ab59b1cc7cf", 1),
    "bicycles": ("f4f0cd402d11843257688afd31b2481efc3853cffb5d46e9669563f2d27d8131", 1),
}
"""No maker publishes a hash: these were read off the copies that other people keep of the files. The number
says how many people's copies agree. A file without one (afhqwild, parrots) is taken as it first comes."""

UNSUPPORTED = {"human": "StyleGAN-Human's pictures are 512 × 256, and only square ones can be edited so far"}
"""Published generators that people ask for in vain, and why."""


@dataclass(frozen=True)
class Checkpoint:
    """A file that its makers publish, at one address or several."""

    name: str
    subject: str
    """What its pictures show. "face" means faces that are aligned as FFHQ's are."""
    resolution: int
    size: int | None
    """Bytes to download: to the million where the number ends in zeros, None where it isn't known."""
    licence: str
    urls: tuple[str, ...]
    """Where it lies, mirrors last."""
    sha256: str | None
    agreeing: int
    """How many people's copies have that SHA-256."""
    family: str = "StyleGAN2"
    file_by_hand: str | None = None
    """The name of a file that lies where only a browser may fetch it; None of one that Photodrag fetches."""

    @property
    def file(self) -> str:
        """Its name, the last part of its address where there is one."""
        return self.file_by_hand or self.urls[0].rpartition("/")[2]


def _ada(name: str, subject: str, resolution: int, size: int | None, *mirrors: str) -> Checkpoint:
    return _checkpoint(name, subject, resolution, size, NVIDIA, f"{ADA}{name}.pkl", *mirrors)


def _ngc(name: str, file: str, subject: str) -> Checkpoint:
    return _checkpoint(name, subject, 512, 364_000_000, NVIDIA, NGC + file, COPIES + file)


def _tensorflow(name: str, subject: str, resolution: int, size: int) -> Checkpoint:
    file = f"stylegan2-{name.removesuffix('-config-f')}-config-f.pkl"
    return _checkpoint(name, subject, resolution, size, NVIDIA, TENSORFLOW + file, TENSORFLOW_MIRROR + file)


def _distilled(name: str, subject: str, resolution: int, size: int, licence: str) -> Checkpoint:
    file = f"{name.partition('-')[0]}_{resolution}_pytorch.pkl"
    return _checkpoint(name, subject, resolution, size, licence, DISTILLED + file)


def _stylegan3(which: str, subject: str, resolution: int, short: str | None = None) -> tuple[Checkpoint, Checkpoint]:
    """Both configurations of one."""
    t, r = (
        Checkpoint(
            f"stylegan3-{configuration}-{short or which}",
            subject,
            resolution,
            None,
            NVIDIA,
            (f"{STYLEGAN3}stylegan3-{configuration}-{which}-{resolution}x{resolution}.pkl",),
            None,
            0,
            "StyleGAN3",
        )
        for configuration in "tr"
    )
    return t, r


def _stylegan(which: str, subject: str, resolution: int, key: str) -> Checkpoint:
    sides = "512x384" if which == "cars" else f"{resolution}x{resolution}"  # cars have black bars above and below
    file = f"karras2019stylegan-{which}-{sides}.pkl"
    address = (DRIVE + key,)
    return Checkpoint(
        f"stylegan-{which}", subject, resolution, None, CREATIVE_COMMONS, address, None, 0, "StyleGAN", file
    )


def _checkpoint(name: str, subject: str, resolution: int, size: int | None, licence: str, *urls: str) -> Checkpoint:
    return Checkpoint(name, subject, resolution, size, licence, urls, *SHA256.get(name, (None, 0)))


CHECKPOINTS = (
    _ada("ffhq", "face", 1024, 381_624_121, f"{COPIES}stylegan2-ffhq1024x1024.pkl"),
    _ngc("ffhq-512", "stylegan2-ffhq-512x512.pkl", "face"),
    _tensorflow("ffhq-config-f", "face", 1024, 381_673_535),
    _ada("metfaces", "face", 1024, 382_000_000),
    _ngc("afhqcat", "stylegan2-afhqcat-512x512.pkl", "cat"),
    _ada("afhqdog", "dog", 512, 364_000_000),
    _ada("afhqwild", "wild animal", 512, 364_000_000),
    _tensorflow("cat", "cat", 256, 357_418_027),
    _distilled("dogs", "dog", 1024, 381_630_441, APACHE),
    _distilled("lions", "lion", 512, 363_965_313, UNKNOWN),
    _distilled("elephants", "elephant", 512, 363_965_313, APACHE),
    _distilled("giraffes", "giraffe", 512, 363_965_313, UNKNOWN),
    _distilled("parrots", "parrot", 512, 364_000_000, UNKNOWN),
    _tensorflow("horse", "horse", 256, 357_418_027),
    _distilled("horses-256", "horse", 256, 357_336_721, APACHE),
    _distilled("bicycles", "bicycle", 256, 357_336_721, APACHE),
    _tensorflow("car", "car", 512, 364_027_523),
    _tensorflow("church", "church", 256, 357_418_027),
    _ada("brecahad", "tissue", 512, None),
    _ada("cifar10", "things of ten classes", 32, None),
    *_stylegan3("ffhq", "face", 1024),
    *_stylegan3("ffhqu", "face, as it lies", 1024),
    *_stylegan3("ffhqu", "face, as it lies", 256, "ffhqu-256"),
    *_stylegan3("metfaces", "face", 1024),
    *_stylegan3("metfacesu", "face, as it lies", 1024),
    *_stylegan3("afhqv2", "cat, dog, wild", 512),
    _stylegan("ffhq", "face", 1024, "1MEGjdvVpUsu1jB4zrXZN7Y4kBBOzizDQ"),
    _stylegan("celebahq", "face of CelebA-HQ", 1024, "1MGqJl28pN4t7SAtSrPdSRJSQJqahkzUf"),
    _stylegan("bedrooms", "bedroom", 256, "1MOSKeGF0FJcivpBI7s63V9YHloUTORiF"),
    _stylegan("cars", "car", 512, "1MJ6iCfNtMIRicihwRorsM3b7mmtmK9c3"),
    _stylegan("cats", "cat", 256, "1MQywl0FNt6lHu8E_EUqnRbviagS7fbiJ"),
)


def published_with(sha256: str) -> Checkpoint | None:
    """The published checkpoint with that SHA-256; None where there is none."""
    return next((checkpoint for checkpoint in CHECKPOINTS if checkpoint.sha256 == sha256), None)


def noted_sha256_path(checkpoint: Checkpoint, folder: Path) -> Path:
    """Where the SHA-256 of a file is noted that nobody has published one for."""
    return folder / f"{checkpoint.file}.sha256"


def expected_sha256(checkpoint: Checkpoint, folder: Path) -> str | None:
    """The published SHA-256, or the one noted in `folder` when the file first came; None before that."""
    if checkpoint.sha256:
        return checkpoint.sha256
    try:
        noted = noted_sha256_path(checkpoint, folder).read_text("ascii")[:64]
    except (OSError, UnicodeDecodeError):
        return None
    return noted if len(noted) == 64 else None
