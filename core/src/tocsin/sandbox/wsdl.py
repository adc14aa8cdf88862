"""The WSDL that an `.asmx` service serves: document/literal, wrapped, with a SOAP 1.1 and a SOAP 1.2 port."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import attrs

from tocsin.sandbox.aspnet import NAMESPACE
from tocsin.sandbox.http import Answer, Request

_HEADER = (
    '<?xml version="1.0" encoding="utf-8"?>\r\n'
    '<wsdl:definitions xmlns:s="http://www.w3.org/2001/XMLSchema" xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/" '
    'xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/" xmlns:soap12="http://schemas.xmlsoap.org/wsdl/soap12/" '
    f'xmlns:tns="{NAMESPACE}" targetNamespace="{NAMESPACE}">'
)
_PORTS = {"Soap": "soap", "Soap12": "soap12"}


@attrs.frozen
class Record:
    """An object type: its fields with their types, in order. A type is an XML Schema name such as `string`."""

    name: str
    fields: Mapping[str, Type]


Type = str | Record


@attrs.frozen
class Signature:
    """A method's parameters, in order, and its result."""

    parameters: Mapping[str, Type]
    result: Type = "string"


def wants_wsdl(request: Request) -> bool:
    """Say whether a request to a service asks for its description."""
    return request.method == "GET" and request.query.lower() == "wsdl"


def describe(request: Request, service: str, methods: Mapping[str, Signature]) -> Answer:
    """Render the description of a service, reachable where the client has found it.

    Args:
        service: its class, such as `MsgSend`.
        methods: by name, whose case counts.
    """
    url = f"http://{request.headers.get('Host', '')}{request.path}"
    pieces = (
        _HEADER,
        *_types(methods),
        *_messages(methods),
        *_port_type(service, methods),
        *(_binding(service, port, methods) for port in _PORTS),
        f'<wsdl:service name="{service}">',
        *(
            f'<wsdl:port name="{service}{port}" binding="tns:{service}{port}"><{prefix}:address location="{url}" />'
            "</wsdl:port>"
            for port, prefix in _PORTS.items()
        ),
        "</wsdl:service></wsdl:definitions>",
    )
    return Answer(body="".join(pieces).encode())


def _types(methods: Mapping[str, Signature]) -> Iterator[str]:
    yield f'<wsdl:types><s:schema elementFormDefault="qualified" targetNamespace="{NAMESPACE}">'
    records: dict[str, Record] = {}
    for name, method in methods.items():
        for element, fields in ((name, method.parameters), (f"{name}Response", {f"{name}Result": method.result})):
            yield f'<s:element name="{element}"><s:complexType>{_sequence(fields)}</s:complexType></s:element>'
            records |= {kind.name: kind for kind in fields.values() if isinstance(kind, Record)}
    for record in records.values():
        yield f'<s:complexType name="{record.name}">{_sequence(record.fields)}</s:complexType>'
    yield "</s:schema></wsdl:types>"


def _sequence(fields: Mapping[str, Type]) -> str:
    elements = (
        f'<s:element minOccurs="0" maxOccurs="1" name="{name}" '
        f'type="{f"tns:{kind.name}" if isinstance(kind, Record) else f"s:{kind}"}" />'
        for name, kind in fields.items()
    )
    return f"<s:sequence>{''.join(elements)}</s:sequence>"


def _messages(methods: Mapping[str, Signature]) -> Iterator[str]:
    for name in methods:
        for message, element in ((f"{name}SoapIn", name), (f"{name}SoapOut", f"{name}Response")):
            part = f'<wsdl:part name="parameters" element="tns:{element}" />'
            yield f'<wsdl:message name="{message}">{part}</wsdl:message>'


def _port_type(service: str, methods: Mapping[str, Signature]) -> Iterator[str]:
    yield f'<wsdl:portType name="{service}Soap">'
    for name in methods:
        messages = f'<wsdl:input message="tns:{name}SoapIn" /><wsdl:output message="tns:{name}SoapOut" />'
        yield f'<wsdl:operation name="{name}">{messages}</wsdl:operation>'
    yield "</wsdl:portType>"


def _binding(service: str, port: str, methods: Mapping[str, Signature]) -> str:
    prefix = _PORTS[port]
    body = f'<{prefix}:body use="literal" />'
    operations = (
        f'<wsdl:operation name="{name}">'
        f'<{prefix}:operation soapAction="{NAMESPACE}{name}" style="document" />'
        f"<wsdl:input>{body}</wsdl:input><wsdl:output>{body}</wsdl:output></wsdl:operation>"
        for name in methods
    )
    transport = f'<{prefix}:binding transport="http://schemas.xmlsoap.org/soap/http" />'
    return (
        f'<wsdl:binding name="{service}{port}" type="tns:{service}Soap">{transport}{"".join(operations)}</wsdl:binding>'
    )
