import { readFileSync } from 'node:fs';
import { it } from 'vitest';
import { methodOf } from '../methods.ts';
import { repr } from '../repr.ts';
import { decimalValue, isDecimal } from '../unicode.ts';
const names=['isalnum','isalpha','isdecimal','isdigit','isidentifier','islower','isnumeric','isprintable','isspace','istitle','isupper'];
const m=(s: string,n: string)=>(methodOf(s,n) as any).call([],new Map());
it('x',()=>{
let n=0;const bad: any={};
const diff=(k: string,c: number,a: any,e: any)=>{ if(a!==e){n++;(bad[k]??=[]).push([c.toString(16),a,e])}};
for(const [c,flags,up,lo,ti,ca,sw,cf,t2,l2,re,dv] of JSON.parse(readFileSync('/tmp/uni2.json','utf8'))){
 const ch=String.fromCodePoint(c);
 names.forEach((nm,i)=>diff(nm,c,m(ch,nm),flags[i]==='1'));
 diff('upper',c,m(ch,'upper'),up);diff('lower',c,m(ch,'lower'),lo);diff('title',c,m(ch,'title'),ti);diff('cap',c,m(ch,'capitalize'),ca);diff('swap',c,m(ch,'swapcase'),sw);diff('cf',c,m(ch,'casefold'),cf);diff('t2',c,m('a'+ch+'B','title'),t2);diff('l2',c,m('a'+ch,'lower'),l2);diff('repr',c,repr(ch),re); diff('dv',c,isDecimal(ch)?String(decimalValue(ch)):'',dv);
}
console.log(n,Object.entries(bad).map(([f,l]: any)=>f+' '+l.length+' '+JSON.stringify(l.slice(0,12))).join('\n'));
});
