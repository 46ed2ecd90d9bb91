"""The accounts of the emulated AWS that tests share."""

TOOLING, RESEARCH, RISK = "000000000000", "111111111111", "222222222222"
