"""The roles: what somebody is here for. An account has exactly one."""

from gis.text import Text

#: Everyone who has not signed in.
PUBLIC_ROLE = "public"
#: Whoever works at the machine itself.
OWNER_ROLE = "owner"

#: The three administrators of GB/T 22239-2019, 8.1.4.2: separate, and none of them sees the city's data by that office.
ADMINISTRATORS = ("system_admin", "security_admin", "audit_admin")

ROLES: dict[str, Text] = {
    PUBLIC_ROLE: Text("公众", "the public"),
    "staff": Text("工作人员", "staff"),
    "analyst": Text("分析人员", "analyst"),
    "duty": Text("经办人员(有查询职责)", "officer on duty"),
    "command": Text("应急指挥", "emergency command"),
    "system_admin": Text("系统管理员", "system administrator"),
    "security_admin": Text("安全管理员", "security administrator"),
    "audit_admin": Text("审计管理员", "audit administrator"),
    OWNER_ROLE: Text("本机所有者", "owner of the machine"),
}

#: Who works for the government, and by that sees what is internal.
INSIDE = ("staff", "analyst", "duty", "command")

#: Who changes features and acts for a department in the exchange; analysts are told, and change nothing.
CLERKS = ("staff", "duty", "command")
