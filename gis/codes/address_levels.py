"""How finely a text or a match says where something is: from the province down to the room of a dwelling.

The parts are those of GB/T 23705-2009 and GB/T 39609-2020. Greater is finer: `reached <= supported` is the law that
no answer may break.
"""

from enum import IntEnum

from gis.text import Text


class AddressLevel(IntEnum):
    """Level of an address or of the place found for it. INTERPOLATED is never a text's, only an answer's."""

    NONE = 0
    PROVINCE = 1
    CITY = 2
    COUNTY = 3
    TOWNSHIP = 4
    VILLAGE = 5
    ROAD = 6
    LANDMARK = 7
    COMPOUND = 8
    INTERPOLATED = 9
    PLATE = 10
    BUILDING = 11
    UNIT = 12
    FLOOR = 13
    ROOM = 14

    @property
    def label(self) -> Text:
        """Its name."""
        return _LABELS[self]


_LABELS = {
    AddressLevel.NONE: Text("未识别", "nothing"),
    AddressLevel.PROVINCE: Text("省", "province"),
    AddressLevel.CITY: Text("市", "city"),
    AddressLevel.COUNTY: Text("区县", "county"),
    AddressLevel.TOWNSHIP: Text("街道乡镇", "township"),
    AddressLevel.VILLAGE: Text("社区村", "community or village"),
    AddressLevel.ROAD: Text("路街巷", "road"),
    AddressLevel.LANDMARK: Text("标志物", "landmark"),
    AddressLevel.COMPOUND: Text("小区院落", "compound"),
    AddressLevel.INTERPOLATED: Text("内插门牌", "interpolated door plate"),
    AddressLevel.PLATE: Text("门牌", "door plate"),
    AddressLevel.BUILDING: Text("楼栋", "building"),
    AddressLevel.UNIT: Text("单元", "unit"),
    AddressLevel.FLOOR: Text("楼层", "floor"),
    AddressLevel.ROOM: Text("户室", "room"),
}
