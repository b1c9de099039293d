"""The public list of modules as it was published (API contract, public modules).

A module is shown once one of its links has a route; `console.blueprints.public.service_info` decides that.
"""

from __future__ import annotations

OPS = "/api/ops"
TRACKER = f"{OPS}/governance/gate/remediation/tracker"
Links = tuple[tuple[str, str], ...]

MODULES_HEAD = {
    "title": "KA Facility OS",
    "published_on": "2026-02-27",
    "public": True,
    "main_page": "/",
    "console_html": "/web/console",
}


def _week(number: str, policy: str) -> Links:
    return (
        (f"W{number} pack", f"/api/public/adoption-plan/w{number}"),
        ("Policy", f"{OPS}/adoption/w{number}/{policy}"),
        ("Tracker items", f"/api/adoption/w{number}/tracker/items"),
    )


# id, name, Korean name, description, figure that tells whether it works, links as (label, address)
MODULES: tuple[tuple[str, str, str, str, str, Links], ...] = (
    (
        "inspection-ops",
        "Inspection Operations",
        "점검 운영",
        "설비 점검을 계획하고 기록하며, 위험 등급에 따라 후속 조치로 잇습니다.",
        "계획 대비 점검 완료율",
        (("Inspections", "/api/inspections"), ("Printable inspection", "/inspections/{id}/print")),
    ),
    (
        "work-order-ops",
        "Work-Order Operations",
        "작업지시 운영",
        "작업지시를 접수부터 완료까지 관리하고, 기한을 넘기면 상위로 알립니다.",
        "기한 내 완료율",
        (
            ("Work orders", "/api/work-orders"),
            ("Work order events", "/api/work-orders/{id}/events"),
            ("Escalation run", "/api/work-orders/escalations/run"),
        ),
    ),
    (
        "sla-alerts",
        "SLA and Alerts",
        "SLA와 알림",
        "기한을 지켜보고, 알림을 보내며, 보내지 못한 알림을 다시 시도합니다.",
        "알림 전달 성공률",
        (
            ("SLA simulation", f"{OPS}/sla/simulate"),
            ("Alert deliveries", f"{OPS}/alerts/deliveries"),
            ("Alert retries", f"{OPS}/alerts/retries/run"),
            ("Remediation SLA", f"{TRACKER}/sla"),
        ),
    ),
    (
        "reporting-audit",
        "Reporting and Audit",
        "보고와 감사",
        "월간 보고서를 만들고, 감사 로그의 연결이 끊기지 않았는지 검증합니다.",
        "감사 체인 검증 결과",
        (
            ("Monthly report", "/api/reports/monthly"),
            ("Monthly report CSV", "/api/reports/monthly/csv"),
            ("Monthly report PDF", "/api/reports/monthly/pdf"),
            ("Audit integrity", "/api/admin/audit-integrity"),
            ("Monthly audit archive", "/api/admin/audit-archive/monthly"),
        ),
    ),
    (
        "ops-command",
        "Ops Command Center",
        "운영 지휘",
        "게이트 판정과 조치, 작업 실행 이력을 한곳에서 봅니다.",
        "기한 초과 조치 건수",
        (
            ("Dashboard", f"{OPS}/dashboard/summary"),
            ("Trends", f"{OPS}/dashboard/trends"),
            ("Handover brief", f"{OPS}/handover/brief"),
            ("Governance gate", f"{OPS}/governance/gate"),
            ("Remediation items", f"{TRACKER}/items"),
            ("Job runs", f"{OPS}/job-runs"),
        ),
    ),
    (
        "rbac-governance",
        "RBAC and Governance",
        "권한과 통제",
        "역할과 사업장 범위로 권한을 나누고, 모든 변경을 감사 로그에 남깁니다.",
        "권한 없는 접근 거부 건수",
        (
            ("My rights", "/api/auth/me"),
            ("Users", "/api/admin/users"),
            ("Audit log", "/api/admin/audit-logs"),
            ("Workflow locks", "/api/workflow-locks"),
        ),
    ),
    (
        "report-discipline",
        "Report Discipline",
        "보고 규율",
        "보고서가 제때, 같은 기준으로 나오는지 사업장별로 견줍니다.",
        "보고서 기한 준수율",
        (("W08 pack", "/api/public/adoption-plan/w08"),),
    ),
    (
        "kpi-operations",
        "KPI Operations",
        "KPI 운영",
        "핵심 지표의 임계값과 담당자를 정하고 지켜봅니다.",
        "지표 목표 달성률",
        _week("09", "kpi-policy"),
    ),
    (
        "self-serve-support",
        "Self-serve Support",
        "자가 해결 지원",
        "반복되는 문의를 안내서로 옮겨 스스로 해결하게 합니다.",
        "반복 문의 감소율",
        _week("10", "support-policy"),
    ),
    (
        "scale-readiness",
        "Scale Readiness",
        "확장 준비",
        "사업장을 늘릴 준비가 되었는지 점검합니다.",
        "확장 준비 점수",
        _week("11", "readiness-policy"),
    ),
    (
        "closure-handoff",
        "Closure and Handoff",
        "마무리와 인계",
        "운영 책임을 인계할 준비가 되었는지 점검합니다.",
        "인계 완료율",
        _week("12", "handoff-policy"),
    ),
    (
        "continuous-improvement",
        "Continuous Improvement",
        "지속 개선",
        "개선 과제를 고르고 끝까지 추적합니다.",
        "개선 과제 완료율",
        _week("13", "handoff-policy"),
    ),
    (
        "stability-sprint",
        "Stability Sprint",
        "안정화 집중",
        "장애를 줄이는 과제를 짧은 주기로 끝냅니다.",
        "장애 재발률",
        _week("14", "stability-policy"),
    ),
    (
        "operations-efficiency",
        "Operations Efficiency",
        "운영 효율",
        "같은 일을 더 적은 수고로 하는 과제를 추적합니다.",
        "처리 시간 단축률",
        _week("15", "efficiency-policy"),
    ),
    (
        "growth-roadmap",
        "Growth and Post-MVP",
        "성장 계획",
        "다음 반년의 계획과 출시 일정을 공유합니다.",
        "계획 대비 출시율",
        (
            ("Post-MVP plan", "/api/public/post-mvp"),
            ("Backlog CSV", "/api/public/post-mvp/backlog.csv"),
            ("Release calendar", "/api/public/post-mvp/releases.ics"),
        ),
    ),
)
