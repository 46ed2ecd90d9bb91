"""One release and many: signature, receipt, admission, promotion, rollback, recovery."""
