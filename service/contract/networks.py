"""How big the published networks are, for those who choose one."""

from typing import NamedTuple


class NetworkSize(NamedTuple):
    """Of a network with 1000 classes; the auxiliary heads exist in training alone."""

    parameters: int
    parameters_without_auxiliary_heads: int
    multiply_adds: int
    """Of convolutions and linear layers for one image of 224 x 224 in eval mode."""


NETWORK_SIZES: dict[str, dict[str, NetworkSize]] = {
    "oneshot": {
        "searched": NetworkSize(3_432_579, 3_432_579, 327_857_920),
    },
    "shufflenet_v1": {
        "0.5x-g3": NetworkSize(717_324, 717_324, 37_589_856),
        "0.5x-g8": NetworkSize(1_010_448, 1_010_448, 40_469_760),
        "1.0x-g3": NetworkSize(1_864_728, 1_864_728, 137_460_672),
        "1.0x-g8": NetworkSize(2_433_768, 2_433_768, 138_365_952),
        "1.5x-g3": NetworkSize(3_441_168, 3_441_168, 292_443_552),
        "1.5x-g8": NetworkSize(4_268_952, 4_268_952, 290_188_800),
        "2.0x-g3": NetworkSize(5_449_776, 5_449_776, 524_045_184),
        "2.0x-g8": NetworkSize(6_521_232, 6_521_232, 521_942_016),
    },
    "shufflenet_v2": {
        "0.5x": NetworkSize(1_365_792, 1_365_792, 40_476_448),
        "1.0x": NetworkSize(2_278_760, 2_278_760, 145_814_296),
        "1.5x": NetworkSize(3_506_720, 3_506_720, 298_970_656),
        "2.0x": NetworkSize(7_402_600, 7_402_600, 590_783_000),
    },
    "shufflenet_v2_plus": {
        "large": NetworkSize(6_768_220, 6_768_220, 360_050_704),
        "medium": NetworkSize(5_679_840, 5_679_840, 222_249_984),
        "small": NetworkSize(5_137_116, 5_137_116, 155_845_008),
    },
    "shufflenet_v2_large": {
        "large": NetworkSize(140_685_664, 125_120_936, 12_780_652_544),
    },
    "shufflenet_v2_exlarge": {
        "exlarge": NetworkSize(271_283_296, 255_374_504, 46_174_794_752),
    },
    "detnas": {
        "COCO_FPN_1.3G": NetworkSize(10_426_328, 10_426_328, 1_318_374_496),
        "COCO_FPN_3.8G": NetworkSize(31_444_596, 31_444_596, 4_085_874_080),
        "COCO_FPN_300M": NetworkSize(3_533_112, 3_533_112, 321_219_008),
        "COCO_RetinaNet_300M": NetworkSize(3_725_320, 3_725_320, 324_342_464),
        "VOC_FPN_300M": NetworkSize(3_651_128, 3_651_128, 349_524_544),
        "VOC_RetinaNet_300M": NetworkSize(3_479_480, 3_479_480, 360_625_984),
    },
}
