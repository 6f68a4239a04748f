"""Every call and every answer, judged by the vendor's own description: a proxy before a vendor or its simulator."""
