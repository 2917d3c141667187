"""The interface's own line icons: SVG shapes on a 24 x 24 grid, drawn with a 2-unit round stroke."""

from typing import Final

ICONS: Final[dict[str, str]] = {
    "dope": '<path d="M4 12.5l5 5L20 6.5"/>',
    "nope": '<path d="M6 6l12 12M18 6L6 18"/>',
    "undo": '<path d="M8 5L3.5 9.5 8 14"/><path d="M4 9.5h9.5a6 6 0 0 1 0 12H9"/>',
    "skip": '<path d="M5 5l8 7-8 7zM18.5 5v14"/>',
    "menu": '<path d="M4 7h16M4 12h16M4 17h16"/>',
    "play": '<rect x="7" y="4" width="10" height="16" rx="2"/><path d="M3.5 7v10M20.5 7v10"/>',
    "chart": (
        '<path d="M4 20V4M4 20h16"/><path d="M8.5 8h6M8.5 14h9"/>'
        '<circle cx="11" cy="8" r="1.5"/><circle cx="14" cy="14" r="1.5"/>'
    ),
    "info": '<circle cx="12" cy="12" r="9"/><path d="M12 11v5.5M12 7.5v.1"/>',
    "shield": '<path d="M12 3l7.5 3v5.5c0 4.5-3 8-7.5 9.5-4.5-1.5-7.5-5-7.5-9.5V6z"/>',
    "person": '<circle cx="12" cy="8" r="4"/><path d="M4.5 20.5c1-4 4-6 7.5-6s6.5 2 7.5 6"/>',
    "gear": (
        '<path d="M4 7h9M17 7h3M4 17h3M11 17h9"/><circle cx="15" cy="7" r="2"/><circle cx="9" cy="17" r="2"/>'
    ),
    "theme": (
        '<circle cx="12" cy="12" r="8.5"/><path d="M12 3.5v17a8.5 8.5 0 0 0 0-17z" fill="currentColor"/>'
    ),
    "sun": (
        '<circle cx="12" cy="12" r="4"/><path d="M12 2.5v2M12 19.5v2M2.5 12h2M19.5 12h2'
        'M5.3 5.3l1.4 1.4M17.3 17.3l1.4 1.4M5.3 18.7l1.4-1.4M17.3 6.7l1.4-1.4"/>'
    ),
    "moon": '<path d="M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5z"/>',
    "bolt": '<path d="M13 2.5L5 13.5h6l-1 8 8.5-11.5H12z"/>',
    "offline": (
        '<path d="M3 3l18 18M5 12.5a10 10 0 0 1 5-2.7M8.5 16a5 5 0 0 1 7 0'
        'M2 9a15 15 0 0 1 5-3M11 5.5a15 15 0 0 1 11 3.5M15.5 10.7a10 10 0 0 1 3.5 1.8"/>'
        '<path d="M12 19.5v.1"/>'
    ),
    "camera": (
        '<path d="M4 8h3.5L9.5 5h5l2 3H20a1 1 0 0 1 1 1v9a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1V9a1 1 0 0 1 1-1z"/>'
        '<circle cx="12" cy="13" r="3.5"/>'
    ),
    "wait": '<circle cx="12" cy="12" r="9"/><path d="M12 7v5l3.5 2"/>',
    "refresh": '<path d="M20 11a8 8 0 1 0-2.5 6.5"/><path d="M20 4.5V11h-6.5"/>',
    "download": '<path d="M12 4v11M7 10.5l5 5 5-5M4.5 20h15"/>',
    "upload": '<path d="M12 16V5M7 9.5l5-5 5 5M4.5 20h15"/>',
    "warning": '<path d="M12 4L2.5 20h19z"/><path d="M12 10v4.5M12 17.2v.1"/>',
    "arrow": '<path d="M4 12h16M14 6l6 6-6 6"/>',
    "out": '<path d="M10 4H5v16h5M9 12h11M16 8l4 4-4 4"/>',
    "search": '<circle cx="10.5" cy="10.5" r="6"/><path d="M15 15l5.5 5.5"/>',
    "stop": '<rect x="6" y="6" width="12" height="12" rx="2"/>',
}
