"""Which backbones there are: names for forms and commands, without torch."""

from typing import Final

# The project's: one that learns fastest, one that embeds fastest, one that keeps where things lie.
OWN: Final = ("bobbin", "thimble", "shuttle")
# torchvision's, under its names.
PUBLISHED: Final = (
    "vgg16",
    "resnet18",
    "mobilenet_v3_small",
    "mobilenet_v3_large",
    "regnet_y_400mf",
    "inception_v3",
    "convnext_tiny",
)
BACKBONES: Final = (*OWN, *PUBLISHED)
# Pixels below which nothing is left for the last layers to look at.
LEAST_SIDE: Final = dict.fromkeys(PUBLISHED, 32) | dict.fromkeys(OWN, 16) | {"inception_v3": 75}
