"""Buttons that stand on many screens, each under one name."""

from __future__ import annotations

from viralcore.core.screen import Button
from viralcore.texts.actions import Go

HOME = Button("🏠 Home", Go("home"))
MENU = Button("🛒 Service Menu", Go("menu"))
SUBMIT = Button("🔗 Submit Link", Go("submit"))
ORDERS = Button("📦 My Orders", Go("orders"))
BALANCE = Button("💰 My Balance", Go("balance"))
AFFILIATE = Button("🤝 Affiliate Program", Go("affiliate"))
WITHDRAW = Button("🏧 Withdraw", Go("withdraw"))
TOPUP = Button("➕ Top up", Go("topup"))
EARN = Button("🧑‍💻 Task 2 Earn", Go("tasks"))
REPLIES = Button("📊 Reply Guys Panel", Go("replies"))
SUPPORT = Button("💬 Support", Go("support"))


def order(order_id: int) -> Button:
    return Button(f"📦 Order #{order_id}", Go(f"order:{order_id}"))


def invoice(invoice_id: int) -> Button:
    return Button(f"🧾 Invoice #{invoice_id}", Go(f"invoice:{invoice_id}"))
