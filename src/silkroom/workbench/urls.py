"""Addresses of the merchant pages. Words that stand in the place of a slug are reserved in `silkroom.shops.rules`."""

from __future__ import annotations

from django.urls import path

from .views import moves, orders, payments, shop, shows, staff, stock, styles, tills, undo

app_name = "workbench"

STYLE = "<slug:slug>/styles/<slug:code>/"
SHOW = "<slug:slug>/shows/<slug:code>/"

urlpatterns = [
    path("", shop.home, name="home"),
    path("open/", shop.open_page, name="open-shop"),
    path("regions/", shop.regions, name="regions"),
    path("invitations/<str:secret>/", shop.invitation, name="invitation"),
    path("<slug:slug>/", shop.shop, name="shop"),
    path("<slug:slug>/undo/", undo.undo, name="undo"),
    path("<slug:slug>/settings/", shop.settings_page, name="settings"),
    path("<slug:slug>/settings/logo/", shop.logo, name="logo"),
    path("<slug:slug>/settings/logo/remove/", shop.logo_remove, name="logo-remove"),
    path("<slug:slug>/settings/currency/", shop.currency, name="currency"),
    path("<slug:slug>/payments/", payments.payments, name="payments"),
    path("<slug:slug>/payments/transfers/<int:payment_id>/came/", payments.transfer_came, name="payments-came"),
    path("<slug:slug>/payments/refunds/<int:refund_id>/sent/", payments.refund_sent, name="payments-sent"),
    path(
        "<slug:slug>/payments/differences/<int:difference_id>/settled/",
        payments.difference_settled,
        name="payments-settled",
    ),
    path("<slug:slug>/payments/<slug:provider>/", payments.account_save, name="payments-save"),
    path("<slug:slug>/payments/<slug:provider>/check/", payments.account_check, name="payments-check"),
    path("<slug:slug>/payments/<slug:provider>/off/", payments.account_off, name="payments-off"),
    path("<slug:slug>/settings/places/new/", shop.place_new, name="place-new"),
    path("<slug:slug>/settings/places/<int:place_id>/", shop.place_change, name="place-change"),
    path("<slug:slug>/tills/", tills.tills, name="tills"),
    path("<slug:slug>/tills/new/", tills.till_new, name="till-new"),
    path("<slug:slug>/tills/shifts/<int:shift_id>/", tills.shift, name="shift"),
    path("<slug:slug>/tills/shortfalls/", tills.shortfalls, name="shortfalls"),
    path("<slug:slug>/tills/shortfalls/<int:shortfall_id>/", tills.shortfall_settle, name="shortfall-settle"),
    path("<slug:slug>/tills/<slug:code>/", tills.till, name="till"),
    path("<slug:slug>/tills/<slug:code>/change/", tills.till_change, name="till-change"),
    path("<slug:slug>/tills/<slug:code>/pair/", tills.till_pair, name="till-pair"),
    path("<slug:slug>/tills/<slug:code>/revoke/", tills.till_revoke, name="till-revoke"),
    path("<slug:slug>/styles/", styles.styles, name="styles"),
    path("<slug:slug>/styles/new/", styles.style_new, name="style-new"),
    path(STYLE, styles.style, name="style"),
    path(f"{STYLE}publish/", styles.publish, name="style-publish"),
    path(f"{STYLE}withdraw/", styles.withdraw, name="style-withdraw"),
    path(f"{STYLE}grid/", styles.grid, name="style-grid"),
    path(f"{STYLE}pictures/", styles.pictures, name="style-pictures"),
    path(f"{STYLE}pictures/<int:picture_id>/", styles.picture_change, name="picture-change"),
    path(f"{STYLE}pictures/<int:picture_id>/remove/", styles.picture_remove, name="picture-remove"),
    path(f"{STYLE}pictures/<int:picture_id>/move/", styles.picture_move, name="picture-move"),
    path(f"{STYLE}sizes/", styles.size_chart, name="style-sizes"),
    path(f"{STYLE}label/", styles.label, name="style-label"),
    path("<slug:slug>/stock/", stock.stock, name="stock"),
    path("<slug:slug>/stock/move/", moves.move_choose, name="move-choose"),
    path("<slug:slug>/stock/move/<slug:code>/", moves.move, name="move"),
    path("<slug:slug>/stock/movements/", stock.movements, name="movements"),
    path("<slug:slug>/stock/<int:variant_id>/<int:place_id>/", stock.stock_cell, name="stock-cell"),
    path("<slug:slug>/stock/<int:variant_id>/<int:place_id>/count/", stock.count, name="stock-count"),
    path("<slug:slug>/orders/", orders.orders, name="orders"),
    path("<slug:slug>/orders/<slug:number>/", orders.order, name="order"),
    path("<slug:slug>/orders/<slug:number>/refund/", orders.refund, name="order-refund"),
    path("<slug:slug>/orders/<slug:number>/refund/again/", orders.refund_again, name="order-refund-again"),
    path("<slug:slug>/staff/", staff.staff, name="staff"),
    path("<slug:slug>/staff/invite/", staff.invite, name="invite"),
    path("<slug:slug>/staff/leave/", staff.leave, name="leave"),
    path("<slug:slug>/staff/<int:staff_id>/role/", staff.role, name="staff-role"),
    path("<slug:slug>/staff/<int:staff_id>/remove/", staff.remove, name="staff-remove"),
    path(
        "<slug:slug>/staff/invitations/<int:invitation_id>/withdraw/",
        staff.invitation_withdraw,
        name="invitation-withdraw",
    ),
    path("<slug:slug>/shows/", shows.shows, name="shows"),
    path("<slug:slug>/shows/new/", shows.show_new, name="show-new"),
    path(SHOW, shows.show, name="show"),
    path(f"{SHOW}change/", shows.show_change, name="show-change"),
    path(f"{SHOW}cancel/", shows.show_cancel, name="show-cancel"),
    path(f"{SHOW}deals/", shows.deal_new, name="deal-new"),
    path(f"{SHOW}deals/<int:prepared_id>/remove/", shows.deal_remove, name="deal-remove"),
]
