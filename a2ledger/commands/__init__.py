"""The commands: parse options, call the wing whose trade it is, print, exit.

``settings`` is what every command shares and ``session`` what every writing one does; ``importers``
is the one table of what `import` takes, ``inputs`` the places it reads, ``table_help`` its help,
``tables`` prints, ``completion`` serves shells. All others hold the commands they are named after:
``a2billing``, ``authorize``, ``balances``, ``carrier_bill``, ``check``, ``close``,
``corrections``, ``customers``, ``doctor``, ``explain``, ``fees``, ``imports``, ``payments``,
``quarantine``, ``questions``, ``rate``, ``report``, ``rerate``, ``send``,
``serve``, ``sources``, ``start``, ``statement``, ``tariff``, ``tariff_notices``,
``tariff_views``, ``templates``, ``upgrade``, ``verify``.
"""

from __future__ import annotations
