import faulthandler,hashlib as W,io,lzma,numpy as X,os as o,signal,subprocess,sys as s,time as d,torch as t,torch.distributed as u,torch.nn.functional as r,traceback
from functools import partial as a
from pathlib import Path as i
from sentencepiece import SentencePieceProcessor
from torch import nn as Y
from torch.nn.attention.flex_attention import create_block_mask,flex_attention
from typing import NamedTuple as e
def ey():
 e=o.environ.get;s=int(e('RANK',0));a=int(e('WORLD_SIZE',1));i=int(e('LOCAL_RANK',0))
 if a<1 or 8%a:raise ValueError(f"WORLD_SIZE is {a}, wanted a divisor of 8, the micro-batches of a step")
 return s,a,i
def eb():
 global l,ij,h,n;s,a,i=ey();e='gloo';o=t.device('cpu')
 if t.cuda.is_available():e='nccl';o=t.device('cuda',i);t.cuda.set_device(o)
 if a>1:u.init_process_group(e)
 h=s;n=a;ij=i;l=o
def ev():
 if n>1:u.destroy_process_group()
def ek(e):
 if n>1:u.all_reduce(e)
 return e
def k(value):
 f=[value]*n
 if n>1:u.all_gather_object(f,value)
 return f
def j(value):
 if n==1:return value
 e=t.tensor(value,dtype=t.float64,device=l);u.all_reduce(e,u.ReduceOp.MAX);return e.item()
def ex(e):
 if e.grad is None:e.grad=t.zeros_like(e)
 return e.grad
def ej(r):
 a=[ex(e)for e in r]
 if n>1:
  d=t.cat([o.flatten()for o in a]);u.all_reduce(d);i=(d/n).split([o.numel()for o in a])
  for(o,c)in zip(a,i,strict=True):o.copy_(c.view_as(o))
def eq(a,d):
 if n>1:return u.reduce_scatter(a,list(d.chunk(n)),async_op=True)
 a.copy_(d)
def ez(d,a):
 if n>1:return u.all_gather(list(d.chunk(n)),a,async_op=True)
 d.copy_(a)
def eA(i):
 if i is not None:i.wait()
def eB(s,a):
 if not s.p:return a,
 n=range(s.shape[0]//len(s.p));return tuple(e.format(i)for e in s.p for i in n)
def q(d):
 l=[]
 for s in d:
  if s.p:
   n=range(s.shape[0]//len(s.p))
   for(e,f)in zip(s.p,s.init,strict=True):l+=[(e.format(i),f,s)for i in n]
  else:l+=[(a,s.init,s)for a in s.s()]
 return l
def eC(a,e):
 if a.startswith('blocks.')and a.endswith('.weight'):i,t=a[len('blocks.'):-len('.weight')].split('.',1);return t,int(i)
 return e,0
def eD(n,d,h):
 for s in d:
  i=h if s.dtype=='activation'else t.float32
  for a in s.s():
   *r,u=a.split('.');e=n
   for o in r:
    if o not in e._modules:e.add_module(o,Y.ModuleList())
    e=e._modules[o]
   e.register_parameter(u,Y.Parameter(t.empty(s.shape,dtype=i,device=l)))
def eE(a):u=W.sha256(f"{eh}:{a}".encode()).digest();return t.Generator().manual_seed(int.from_bytes(u[:7],'little'))
def eF(d,c):
 n=z(p.state_dict(),d)
 for(a,f,m)in q(d):r=t.empty(n[a].shape);f(r,eE(a),c);n[a].copy_(r)
def z(n,d):
 r=[]
 for s in d:
  for a in s.s():r+=n[a].unbind()if s.p else[n[a]]
 return{a:e for((a,m,m),e)in zip(q(d),r,strict=True)}
def A(tensor,generator,ledger):tensor.zero_()
def B(tensor,generator,ledger):tensor.fill_(1.)
def C(tensor,generator,ledger,value):tensor.fill_(value)
def eG(tensor,generator,ledger,std):tensor.normal_(.0,std,generator=generator)
class eH:
 def __init__(n):n.M=None;n.S=None;f=[(p.get_parameter(a),eB(s,a),s)for s in w for a in s.s()];n.tensors=[e for(e,i,s)in f];n.names=[i for(e,i,s)in f];n.replicated=[e for(e,i,s)in f if s.reduction=='replicated'];n.c=[e for(e,i,s)in f if s.b];n.H=[i for(e,i,s)in f if s.b];o=[e for(e,i,s)in f if s.group=='matrix'];t=[i for(e,i,s)in f if s.group=='matrix'];ok(o,t);c=[(l,[e for(e,i,s)in f if s.group==l.name],[i for(e,i,s)in f if s.group==l.name])for l in oW];ou(c)
 @t.no_grad()
 def step(n,scalars,ledger):
  for l in oV:l(n.tensors,n.names,ledger)
  ox();ej(n.replicated);om(scalars,ledger);oj(scalars,ledger)
  for e in n.tensors:e.grad=None
def eI(e):
 if t.cuda.is_available():return t.compile(e,dynamic=False,fullgraph=True)
 return e
def eJ(t):
 global ea
 if ea is None:ea=eI(oY)
 return ea(t.bfloat16(),5)
def eK():return{}
def eL(t,i):t=eJ(t).contiguous();return t
def eM(e,t,i,n,a,c):eN(e,t,i,.025*a.o,n,a,c)
def eN(e,t,i,o,n,a,c):
 for l in oU:l(e,t,i,o,a,c)
 e.add_(t,alpha=-o*n)
def eO(o,e,u):e.mul_(u).add_(o);return o.add(e,alpha=u)
def eP(e):return max(1,e.shape[-2]/e.shape[-1])**.5
def eQ():
 n=''
 try:oS()
 except(OSError,ValueError)as i:n=f"{ec}: {i}"
 for(s,e)in enumerate(k(n)):
  if e:raise ValueError(f"{e} (on rank {s})"if s else e)
def eR(e):
 if e is not None:y(f"prepared {ec}: {e}")
class Param(e):
 name:e;shape:e;group:e;A:e;init:e=None;r:e='';dtype:e='float32';layers:e=0;p:e=();reduction:e='replicated';y:e='';b:e=True;O:e=True;export:e='yes';j:e=0
 def s(n):return[n.name.format(i)for i in range(n.j,n.layers)]or[n.name]
class Group(e):name:e;lr:e;weight_decay:e=.0
class Phase(e):name:e;start:e;D:e=True;r:e=''
class D:
 def __init__(n):n.done={}
 def count(n,plugin,unit,number=1):n.done[plugin,unit]=n.done.get((plugin,unit),0)+number
 def i(n,s,e):n.done[s,'']=e
 def L(n,s):return', '.join(f"{o} {e}".strip()for((a,e),o)in n.done.items()if a==s and o)
def E(s,o,e):return(s/F(o)).round().clamp(-e,e).to(t.int8)
def F(o):return o[:,None]if o.ndim else o
def G(d,o,t):return(d.float()*F(o).float()).to(t)
def eS(s,half):
 if s.ndim==2:o=(s.abs().amax(1)/31).clamp_min(1/31)
 else:o=s.abs().amax()/31;o=o if o>0 else o+1
 if half:o=o.half()
 return E(s,o.float(),31),o
def eT(s,e):n=s.abs();o=max(e,t.finfo(t.float16).tiny);i=[t.quantile(n,r,1)for r in(.999,.9995,.9999,.99999)];return[(a/31).clamp_min(o).half()for a in(*i,n.amax(1))]
def eU(s,d,o):return(s-G(d,o,t.float32)).square().mean()
def eV(s):
 if s.ndim==2:a=t.quantile(s.abs(),.9999984,1);o=(a/127).clamp_min(1/127);e=o.half()
 else:a=t.quantile(s.abs().flatten(),.9999984);e=o=a/127 if a>0 else a+1
 a=F(a);return E(s.clamp(-a,a),o,127),e
def eW(i,t):
 if'kept'in i:return i['kept'].to(t)
 return G(i['codes'],i['step'],t)
def eX(l):l=l.clone();e=l.diagonal();m=e==0;e[m]=1.;e+=.0201*e.mean();return l,m
class eY:
 def __init__(n):n.n={}
 def __call__(n,t,i,o):o=o.flatten(0,-2).float();e=(o.T@o).double();r=t,i;n.n[r]=n.n[r].add_(e)if r in n.n else e
@t.no_grad()
def eZ():
 e=eY();n=0;p.eval()
 for i in oM():te(i,S(),e);n+=1;f.C(f"calibration: batch {n}")
 p.train()
 if not n:raise ValueError('calibration found no batch of tokens')
 l={}
 for(a,m,s)in q(w):
  r=eC(a,s.y)
  if r in e.n:l[a]={'hessian':e.n[r]/n}
 l=oL(l);return{a:{r:y.float()for(r,y)in h.items()}for(a,h)in l.items()},n
def te(i,t,e):d={};p(i,i,phases=t,observe=e,fields=d)
def tt():return[a for(a,m,s)in q(w)if s.A in('attn','mlp')and s.export!='drop'and len(s.shape[bool(s.p):])==2 and s.shape[-1]*s.shape[-2]>65536]
@t.no_grad()
def ta():
 e=eY();n={};p.eval();t=tuple(l.name for l in g if l.D);te(R()[0][:1,:64],t,e);p.train();o=tt()
 for(a,m,s)in q(w):
  r=eC(a,s.y)
  if a in o and r not in e.n:raise ValueError(f"{a} needs input statistics, and the forward uses no matrix under its role {r[0]!r}")
  if a in o and r in n:raise ValueError(f"{a} and {n[r]} have the same role {r[0]!r}: wanted one matrix for each")
  n[r]=a
def H(a,n):
 e=o.environ.get(a,n)
 try:return int(e)
 except ValueError:raise ValueError(f"{a} is {e!r}, wanted a whole number like {n!r}")from None
def to():
 e=o.environ.get('MAX_WALLCLOCK_SECONDS',6e2)
 try:return float(e)
 except ValueError:raise ValueError(f"MAX_WALLCLOCK_SECONDS is {e!r}, wanted seconds like 600.0")from None
def ti():global ei,en,c,es,ii,er,eh,el,ir,ih;e=o.environ.get;ei=e('DATA_PATH','./data/datasets/fineweb10B_sp1024');en='export'in s.argv;c=H('ITERATIONS',20000);es=to();ii=e('RUN_ID',str(d.time_ns()));er='score'in s.argv;eh=H('SEED',1337);el=e('TOKENIZER_PATH','./data/tokenizers/fineweb_1024_bpe.model');ir=H('TRAIN_LOG_EVERY',200);ih=H('VAL_LOSS_EVERY',1000)
class Score(e):val_loss:e;l:e;N:e;x:e
def tn(n):
 if n.numel():raise ValueError(f"target {n[0]} of the validation stream is not scored")
def ts(n):i=v[n].to(l,t.int64);o=i[:,:-1].contiguous();return o,i[:,1:].contiguous(),tr(o)
def tr(i):return{}
def th(e,m,n,a):
 s=n[:,1:];e[s[a]]=m;f.C(f"eval: batch {m}");o,r,d=ts(n)
 with t.set_grad_enabled(False):h=il(o,r,phases=S(),fields=d,reduction='none',adapter=None)
 u=os(o,r,s.to(l));p=a.to(l);i=h.detach().double()*p,p,u*p;return h,t.stack([c.sum().double()for c in i])
def tl(e,a):
 if n>1:e=e.to(l);u.all_reduce(e,a)
 return e.cpu()
def td(e,o,s):
 tn(1+(e[1:]==0).nonzero().flatten());a,n,c=ek(o).tolist()
 if n>len(e)-1:raise ValueError('a target of the validation stream is scored twice')
 return Score(a/n,a/.6931471805599453/c,int(n),1e3*(d.perf_counter()-s))
def tc(scored_at):
 if h==0:r=f"logs/{ii}.scores.npz";X.savez_compressed(r,scored_at=scored_at.numpy())
class Span(e):start:e;end:e;j:e
def tu(e):return[Span(r,r+4096,0)for r in range(0,(e-1)//4096*4096,4096)]
def tm(e):return e[len(e)*h//n:len(e)*(h+1)//n]
def tf(i):
 n=t.zeros(em,4097,dtype=t.int64);a=t.zeros(em,4096,dtype=t.bool)
 for(e,(r,s,u))in enumerate(i):n[e,:s+1-r]=t.arange(r,s+1);a[e,u:s-r]=True
 return n,a
def I(i):
 s=d.perf_counter();p.eval();i=tm(i);e=t.zeros(len(v),dtype=t.int32);o=t.zeros(3,dtype=t.float64,device=l)
 for(f,r)in enumerate(range(0,len(i),em),1):n,a=tf(i[r:r+em]);o+=th(e,f,n,a)[1]
 p.train();e=tl(e,u.ReduceOp.MAX);return td(e,o,s),e
def tp():return{a:s.A for(a,m,s)in q(w)if s.export!='drop'}
def tg(n,u,l=0):
 s=tp();o={};t=ty(n,s,u)
 for(a,d)in s.items():
  if a in t:i=t[a]
  else:e=n[a];h=u.get(a,{});i=eo[d].encode(a,e,h,m)
  o[a]={r:y.cpu()for(r,y)in i.items()}
 return tb(o)
def tw(a,e,h):return e,h
def ty(n,s,u):
 c={}
 for(a,d)in s.items():
  if d in('attn','mlp')and n[a].ndim==2 and n[a].numel()>65536:o,v=n[a].shape;c.setdefault((d,o,v),[]).append(a)
 l={}
 for((d,m,m),i)in c.items():t=[tw(a,n[a],u.get(a,{}))for a in i];r,h=[e for(e,m)in t],[f for(m,f)in t];p=eo[d];l|=zip(i,p.I(i,r,h),strict=True)
 return l
def tb(o):return o
def tv(o):return aX(ot(o))
def tk(data,n):
 a=2**20+sum(8*e.numel()+4096 for e in n.values())
 try:return oa(aY(data,a))
 except Exception as i:raise ValueError(f"the artifact cannot be read: {str(i).partition(chr(10))[0]}")from i
def tx(a,i,d,t):e=eo[d].decode(a,i,t);return e
def tj(o,n):
 s=tp()
 if o.keys()!=s.keys():raise ValueError("the artifact's tensors are not the model's")
 for(a,d)in s.items():
  try:e=tq(a,o[a],d,n[a].dtype)
  except Exception as i:raise ValueError(f"the artifact's {a} cannot be decoded: {i!r}")from i
  if e.shape!=n[a].shape:raise ValueError(f"{a}: shape {[*e.shape]}, wanted {[*n[a].shape]}")
  n[a].copy_(e)
def tq(a,i,d,t):return tx(a,i,d,t)
class tz:
 def __init__(n,r):
  n.rank=h;n.m=h==0;i('logs').mkdir(exist_ok=True);n.path=i('logs',r+'.txt')
  if n.m and not en:n.path.write_text('')
  s.excepthook=a(tA,n.path);faulthandler.register(signal.SIGTERM,n.path.open('a'),chain=True)
 def __call__(n,e):
  if n.m:
   print(e,flush=True)
   with n.path.open('a')as a:print(e,file=a)
 def z(n,e):
  if n.m:n(f"error: {e}")
  elif e not in n.path.read_text():
   with n.path.open('a')as a:print(f"rank {n.rank}: error: {e}",file=a)
def tA(path,kind,i,trace):
 with path.open('a')as a:traceback.print_exception(i,file=a)
 s.__excepthook__(kind,i,trace)
def tB(e):
 u=W.sha256(i(s.argv[0]).read_bytes()).hexdigest();n=f"hardware:{o.uname().machine} CPU, {t.get_num_threads()} threads"
 if l.type=='cuda':n=subprocess.getoutput('nvidia-smi')
 e(f"Running Python {s.version}\nRunning PyTorch {t.__version__}\ncode_sha256:{u}\n{n}")
def J():return len(i(s.argv[0]).read_bytes())
oT='final_model.pt'
def K():return eo['mlp'].name
def tC():return i(f"final_model.{K()}.ptz")
def tD(o):
 n=z(p.state_dict(),w)
 if h==0:i('final_export.pt').unlink(missing_ok=True);L(a(t.save,n),'final_model.pt')
 u=tH(o)
 if h==0:l=u,m.done,b,eu,f.begin_ms;L(a(t.save,l),'final_export.pt')
 tE(n,u)
def tE(n,u):
 i=tZ();f.end('diagnostic','val');y(f"diagnostic pre-quantization post-ema val_loss:{i.val_loss:.8f} val_bpb:{i.l:.8f} eval_time:{i.x:.0f}ms")
 if h==0:tJ(n,u)
 j(.0);tL()
def L(n,r):
 e=i('final_model.tmp')
 try:
  n(e)
  with e.open('rb')as a:o.fsync(a.fileno())
  e.replace(r)
 finally:e.unlink(missing_ok=True)
def tF():
 global eu,b;n=z(p.state_dict(),w);g=tG('final_model.pt');l=tG('final_export.pt');o=[a for a in n if a not in g or g[a].shape!=n[a].shape]
 if o:raise ValueError(f"final_model.pt is of another model: {o[0]} is missing or has another shape")
 for(a,e)in n.items():e.copy_(g[a])
 u,s,b,eu,f.begin_ms=l;m.done.update(s);f.f(f.begin_ms);tE(n,u)
def tG(r):
 try:return t.load(r,l,weights_only=True)
 except OSError:raise
 except Exception as i:raise ValueError(f"{r} is damaged: {str(i)[:99]!r}")from i
def tH(o):
 global ed;u={};ed=False
 if ed:u,e=tI(o)
 else:u,e=eZ()
 f.end('calibration','none'+f" batches:{e}");ed=False;return u
def tI(o):
 e=1e3*es;U();l=eZ();oz();U();s=j(oA(o));f.f(s)
 if 0<e<s:tY(f"calibration from training data ended at {s:.0f}ms, after the {e:.0f}ms of max_wallclock_seconds: build with more time in reserve")
 return l
def tJ(n,u):o=tg(n,u,J());f.end('quantize','none');s=tv(o);f.end('compress','none');L(a(i.write_bytes,data=s),tC());e=f"{K()}+lzma";y(f"Serialized model: {i(oT).stat().st_size} bytes\nCode size: {J()} bytes\nSerialized model {e}: {len(s)} bytes\nTotal submission size {e}: {len(s)+J()} bytes")
def tK():
 n=z(p.state_dict(),w)
 for e in n.values():e.zero_()
 s=tC().read_bytes();u=W.sha256(s).hexdigest()
 if er:
  a=''.join(r.read_text()for r in i('logs').glob('*.txt'))
  if'artifact_sha256:'in a and u not in a:raise ValueError('the artifact is not that of the logs in logs/')
 y('artifact_sha256:'+u);tj(tk(s,n),n)
def tL():n=K();tK();f.end('decode','none');i,e=I(tu(len(v)));f.end('score','val');tM(f"{n}_lzma_roundtrip",i);i,e=I(oc(len(v)));f.end('score','val');tM(f"{n}_sliding_window",i);tc(e);m.count('sliding_eval','targets',i.N)
def tM(e,i):y(f"final_{e} val_loss:{i.val_loss:.4f} val_bpb:{i.l:.4f} eval_time:{i.x:.0f}ms\nfinal_{e}_exact val_loss:{i.val_loss:.8f} val_bpb:{i.l:.8f}")
def tN():
 e=[l.r for l in g if l.name not in b];n=False
 for a in oZ:
  o=m.L(a)
  if o and a not in e:y(f"receipt {a}: {o}")
  else:y(f"error: plugin {a} did nothing");n=h==0
 return n
class Progress(e):step:e;J:e;k:e;v:e;Q:e;o:e
class Scalars(e):o:e;G:e;momentum:e
def tO(o,s,n):a=s/n if n>0 else o/max(c,1);return Progress(o,c,s,n,a,1.)
class Context(e):
 ids:e;phases:e;training:e;g:e;memo:e;fields:e;d:e;observe:e;ledger:e
 def a(n,s,e,o=1):
  if n.ledger is not None:n.ledger.count(s,e,o)
def M(o):return r.rms_norm(o,(o.size(-1),),eps=1.1920929e-07)
def tP(o):return r.pad(o[:,:-1],(0,0)*(o.dim()-2)+(1,0))
def N(e):
 if'starts'in e.fields:return e.fields['starts']
 if'documents'not in e.fields:return
 n=e.fields['documents'];return r.pad(n[:,1:]!=n[:,:-1],(1,0))
def tQ(n,s,t,i,a,e):
 for l in ia:s=l(n,s,t,i,a,e)
 return s
def tR(n,s,o,t,i,a,e):
 s=tQ(n,s,t,i,a,e)
 if e.observe is not None:e.observe(t,i,o)
 return O(r.linear(o,s.to(o.dtype)),o,t,a,e)
def O(r,o,n,a,e):
 if e.d is not None and n in e.d.sites:r=r+e.d.delta(o,n,a)
 return r
def tS(n,e):
 if'rope'not in e.memo:i=n.size(1);r=n.size(3);o=n.device;d=1e4**(-t.arange(0,r,2,dtype=t.float32,device=o)/r);l=t.outer(t.arange(i,dtype=t.float32,device=o),d);e.memo['rope']=l.cos(),l.sin()
 c,p=(a[None,:,None,:].to(n.dtype)for a in e.memo['rope']);s,u=n.chunk(2,-1);return t.cat((s*c+u*p,u*c-s*p),-1)
class GPT(Y.Module):
 def __init__(n,d,h):super().__init__();n.W=None;n.M=None;n.records=d;eD(n,d,h)
 def matrices(n):return z(dict(n.named_parameters()),n.records)
 def matrix(n,role,layer,position,ctx):return tQ(n,ctx.g[f"blocks.{layer}.{role}.weight"],role,layer,position,ctx)
 def h(n,o,t,i,a,e):return tR(n,e.g[f"blocks.{i}.{t}.weight"],o,t,i,a,e)
 def stem(n,ids,ctx):o=r.embedding(ids,ctx.g['tok_emb.weight']);o=o+ap(ids,ctx);o=M(o);o=aK(o,ctx);return o
 def q(n,i,e):o=n.stem(i,e);return M(aJ(n,o,o,e))
 def logits(n,x,ctx):
  a=aT(n,x,ctx)
  for l in oX:a=l(n,a,ctx)
  return a
 def forward(n,ids,targets,phases=(),reduction='mean',adapter=None,observe=None,ledger=None,fields=None):r=fields or{};l={};fields={**l,**r};e=Context(ids,phases,n.training,n.matrices(),{},fields,adapter,observe,ledger);o=n.q(ids,e);a=n.logits(o,e);u=ag(a,targets,reduction,e);return u
def tT(a):
 a=i(a);e=sorted(r for r in a.parent.glob(a.name)if('_bytes_'in r.name)==('_bytes_'in a.name))
 if not e:raise ValueError(f"{a}: no shard matches, see DATA_PATH")
 return e
def tU(r):
 c=i(r).stat().st_size;e=X.fromfile(r,'<i4',3).tolist()
 if c<=1024 or e!=[20240520,1,(c-1024)/2]:raise ValueError(f"{r}: {c} bytes and header {e}, wanted 1024 + 2n bytes and header [20240520, 1, n > 0]")
 return e[2]
def P(r):
 n=X.memmap(r,'<u2','r',1024,tU(r))
 if n.max()>=1024:raise ValueError(f"{r}: token {n.argmax()} is {n.max()}, wanted an id below 1024")
 return n
def tV(a):
 n=X.concatenate([P(r)for r in tT(a)])
 if len(n)<=4096:raise ValueError(f"{a}: {len(n)} tokens, wanted at least 4097")
 return t.from_numpy(n[:(len(n)-1)//4096*4096+1])
class tW:
 def __init__(n,e):n.log=e;n.begin_ms=.0;n.F=n.w=d.perf_counter()
 def f(n,s):n.F=d.perf_counter()-s/1e3
 def end(n,name,data):e=1e3*(d.perf_counter()-n.F);n.log(f"stage:{name} begin:{n.begin_ms:.0f}ms end:{e:.0f}ms data:{data}");n.begin_ms=e;n.w=d.perf_counter()
 def C(n,e):
  if d.perf_counter()>n.w+10:n.w=d.perf_counter();n.log(e)
def tX(d,e,c):global eu,il,m,y,p,w,b,ec,iq,em,f,v,ed;w=d;y=e;m=c;b=();ec='';f=tW(e);eu=False;ed=not(er or en);iq=0;em=max(16,1);h=t.bfloat16 if l.type=='cuda'else t.float32;t._dynamo.config.recompile_limit=16;p=GPT(d,h);eF(d,c);il=eI(p);a=i(ei,'fineweb_val_*.bin');v=tV(a);on(c);u=W.sha256(v.numpy().data).hexdigest();e(f"val_loader:shards pattern={a} tokens:{len(v)-1}\nval_sha256:{u}")
def Q(c):a=i(ei,'fineweb_train_*.bin');oh(a,c)
def R():
 if not ed:raise ValueError('training data are closed: training time is over')
 f=od((786432,4096)[0]//8,(786432,4096)[1]);o,r=(c.to(l,non_blocking=True)for c in f);return o,r,{}
def tY(e):global eu;y(f"error: {e}");eu=True
def S():return tuple(l.name for l in g if l.D and l.name in b)
def tZ():return I(tu(len(v)))[0]
def ae(t):
 e=[()]
 for l in t:e+=[(*s,l.name)for s in e]
 return e
def at():
 o,r,d=R();o,r=o[:1,:512],r[:1,:512];d={a:y[:1,:512]for(a,y)in d.items()};e=tuple(l.name for l in g);p(o,r,phases=e,fields=d,ledger=m).backward()
 for s in w:n=sum(p.get_parameter(a).grad is not None for a in s.s());m.count(s.r,'trained tensors',n)
 p.zero_grad()
def aa():
 n=p.state_dict();i={a:e.clone()for(a,e)in n.items()};l=eH();r=D();Q(r)
 for s in ae(g):
  for o in range(20):ah(l,s,Scalars(1.,1.,.9),r);y(' '.join((f"warmup_step:{o+1}/20",*s)))
 for(a,e)in n.items():e.copy_(i[a])
 t.manual_seed(eh);Q(m)
def ao(d):
 try:ti();eb();c=D()
 except ValueError as i:print(f"error: {i}",file=s.stderr);s.exit(2)
 r=k(ii)[0];e=tz(r);t.manual_seed(eh);t.backends.cuda.matmul.allow_tf32=True
 if es==0:an()
 tB(e);e('plugins:'+' '.join(oZ));ai(d,e,c)
 if ed:
  ar();at();aa();o=ac()
  try:tD(o)
  except(OSError,ValueError)as i:e.z(str(i));s.exit(f"error: rank {h}: {i}")
 n=not er and(tN()or eu);ev()
 if n:s.exit(1)
def ai(d,e,c):
 global b
 try:
  tX(d,e,c);eQ()
  if en:tF()
  elif er:b=tuple(l.name for l in g);tL()
  else:Q(D());ta()
  return
 except(OSError,ValueError)as i:
  e.z(str(i))
  if not en:ev()
  s.exit(2)
def an():o.environ.setdefault('CUBLAS_WORKSPACE_CONFIG',':4096:8');t.use_deterministic_algorithms(True)
def ar():y(f"model_params:{sum(e.numel()for e in p.parameters())}\nworld_size:{n} grad_accum_steps:{8//n}\nseed:{eh}\ntrain_batch_tokens:786432 train_seq_len:4096 iterations:{c} warmup_steps:20 max_wallclock_seconds:{es:.3f}")
def ah(l,t,a,c):
 e=8//n;s=.0
 for m in range(e):o,r,d=R();u=il(o,r,phases=t,fields=d)/e;s+=u.detach();u.backward()
 l.step(a,c);return s
def al(o,s,n):
 global b;e=tO(o,s,n);a=Scalars(1.,1.,.0)
 for t in ie:a=t(e,a,m)
 for l in g:
  if l.name not in b and l.start(e._replace(o=a.o)):b=tuple(i.name for i in g if i.name in b or i is l);m.i(l.r,f"on at step {o}");y(f"phase {l.name} on at step:{o} train_time:{s:.0f}ms")
 return a
def ad():return 1e3*es
def ac():
 l=eH();of(l.c,l.H);n=ad();o=0;s=.0;U()
 while True:
  d=o==c or 0<n<=s
  if d or ih>0 and o%ih==0:
   oz();i=tZ();au(o,f"val_loss:{i.val_loss:.4f} val_bpb:{i.l:.4f}",s)
   if d:break
   U()
  a=al(o,s,n);u=ah(l,b,a,m);o+=1;op(l.c,o,a);s=j(oA(o))
  if ir>0 and(o<=10 or o%ir==0):
   au(o,f"train_loss:{u:.4f}",s)
   if u!=u:raise ValueError('the training loss is not a number')
 if o<c:y(f"stopping_early: wallclock_cap train_time:{s:.0f}ms step:{o}/{c}")
 e=t.cuda.max_memory_allocated()>>20;r=t.cuda.max_memory_reserved()>>20;y(f"peak memory allocated: {e} MiB reserved: {r} MiB");og(l.c);f.f(s);f.end('train','train');return o
def au(o,e,s):y(f"step:{o}/{c} {e} train_time:{s:.0f}ms step_avg:{s/max(o,1):.2f}ms")
def am(o,n,s,e):e.a('additive_skips','skips');return o+e.g['skip_weights'][s].to(o.dtype)*n
def af(n,e):
 a=t.bitwise_xor(36313*n[:,1:],27191*n[:,0:-1]);s=r.pad(a%3071,(1,0),value=3071);d=N(e)
 if d is not None:o=d;s=s.masked_fill(o,3071)
 return s
def ap(n,e):e.a('bigram_hash','lookups');a=e.g['bigram.embed.weight'];o=r.embedding(af(n,e),a);s=r.linear(o,e.g['bigram.proj.weight'].to(o.dtype));return s*e.g['bigram.scale'].to(o.dtype)
def ag(a,n,reduction,e):e.a('cross_entropy','losses');u=r.cross_entropy(a.flatten(0,1).float(),n.flatten(),reduction=reduction);return u.view_as(n)if reduction=='none'else u
def aw(n,o,i,a,e):e.a('leaky_relu2','layers');s=r.leaky_relu(n.h(o,'mlp.fc',i,a,e),.5).square();return n.h(s,'mlp.proj',i,a,e)
def ay(o,i,e):e.a('ln_scale','branches');n=(i+1)**-.5;return o*n
def T(tensor,generator,ledger):
 if min(tensor.shape)>=64:Y.init.orthogonal_(tensor,generator=generator);ledger.count('ortho_init','orthogonal matrices')
 else:n=tensor.shape[-1]**-.5;tensor.uniform_(-n,n,generator=generator)
def ab(n,e):e.a('partial_rope','rotations');a=tS(n[...,:16],e);return t.cat((a,n[...,16:]),-1)
def av(model,s,l,o,i,a,ctx):
 if i<6:return s,l
 ctx.a('pko','layers');r=l[...,16:];u=t.cat((r[:,:1],r[:,:-1]),dim=1);d=N(ctx)
 if d is not None:u=t.where(d[:,:,None,None],r,u)
 return s,t.cat((l[...,:16],u),dim=-1)
def ak(model,s,l,o,i,a,ctx):ctx.a('qk_gain','layers');t=ctx.g[f"blocks.{i}.attn.q_gain"].to(s.dtype);return s*t[:,None],l
def ax(tensor,generator,ledger):tensor.zero_();tensor[0]=1.
def aj(s,l,n,i,e):return aR(s,l,n,i,e)
def aq(n,o,i,a,e):
 d=n.h(o,'attn.c_q',i,a,e);c=n.h(o,'attn.c_k',i,a,e);u=n.h(o,'attn.c_v',i,a,e);u=aV(u,i,e);d=ab(M(t.unflatten(d,2,(8,-1))),e);c=ab(M(t.unflatten(c,2,(4,-1))),e);u=t.unflatten(u,2,(4,-1))
 for l in(av,ak):d,c=l(n,d,c,o,i,a,e)
 r=aj(d,c,u,i,e);r=aW(r,u,i,e);r=n.h(r.flatten(2),'attn.proj',i,a,e);return O(r,o,'attn',a,e)
def az(s,l,n,a,e):
 d=s.transpose(1,2);c=l.transpose(1,2);u=n.transpose(1,2)
 if a<0 or a>=d.size(2)-1:o=d.size(1)!=c.size(1);return r.scaled_dot_product_attention(d,c,u,is_causal=True,enable_gqa=o).transpose(1,2)
 return aA(s,l,n,aB(d.size(2),a,d.device,e))
def aA(s,l,n,p):d=s.transpose(1,2);c=l.transpose(1,2);u=n.transpose(1,2);o=d.size(1)//c.size(1);c=c.repeat_interleave(o,1);u=u.repeat_interleave(o,1);return r.scaled_dot_product_attention(d,c,u,attn_mask=p).transpose(1,2)
def aB(length,a,device,e):
 r='window',a
 if r not in e.memo:n=t.arange(length,device=device);s=n[:,None]-n[None,:];e.memo[r]=(s>=0)&(s<=a)
 p=e.memo[r];return p
def aC(o,t,i,e):n=e.g[f"blocks.{i}.resid_mix"].to(o.dtype);return n[0]*o+n[1]*t
def aD(o,i,e):n=M(o);n=ay(n,i,e);return n
def aE(n,o,i,a,e):s=aq(n,o,i,a,e);return e.g[f"blocks.{i}.attn_scale"].to(o.dtype)*s
def aF(n,o,i,a,e):s=aw(n,o,i,a,e);s=O(s,o,'mlp',a,e);return e.g[f"blocks.{i}.mlp_scale"].to(o.dtype)*s
def aG(n,o,t,i,a,e):s=aC(o[0],t,i,e);s=s+aE(n,aD(s,i,e),i,a,e);return s+aF(n,aD(s,i,e),i,a,e),
def aH(o,n,s,i,e):
 if n is None:return o
 return am(o[0],n,s,e),*o[1:]
def aI(n,o,t,e):
 l,d=aU(e.phases);e.a('unet_plan','steps over 11 layers',len(l)+len(d));r=[]
 for(a,i)in enumerate(l):o=aG(n,o,t,i,a,e);r.append(o[0])
 for(s,i)in enumerate(d):o=aH(o,r.pop()if r else None,s,i,e);o=aG(n,o,t,i,len(l)+s,e)
 return o
def aJ(n,a,o,e):e.a('sequential_wiring','walks');return aI(n,(a,),o,e)[0]
def aK(a,e):
 e.a('smear_gate','blends');n=tP(a);d=N(e)
 if d is not None:n=n.masked_fill(d[...,None],0)
 o=t.sigmoid(e.g['smear.gate']).to(a.dtype);return(1-o)*a+o*n
def aL():
 if l.type!='cuda':return'scaled_dot_product_attention',None
 try:from flash_attn_interface import flash_attn_func as e;return'flash-attn 3',e
 except ImportError:
  try:from flash_attn import flash_attn_func as e;return'flash-attn 2',e
  except ImportError:return aO(),None
def aM(e,s,l,n,a):r=e(s,l,n,causal=True,window_size=(a,0));return r[0]if isinstance(r,tuple)else r
def aN(o,s,l,n,a,e):
 if o is not None:return aM(o,s,l,n,a)
 return az(s,l,n,a,e)
def aO():e=t.are_deterministic_algorithms_enabled();t.backends.cuda.enable_cudnn_sdp(not e);t.backends.cuda.enable_flash_sdp(e);t.backends.cuda.enable_math_sdp(False);return'FlashAttention of PyTorch'if e else'cuDNN'
def aP():
 def e(f,head,query,key):return(query>=key)&(query-key<=256)
 return e
def aQ():
 global Z;a,Z=aL()
 if l.type!='cuda'or Z is not None:return a
 for i in(4096,4096):e=aP();ee[i]=create_block_mask(e,None,None,i,i,device=l)
 return f"flex_attention (windows), {a} (full)"
def aR(d,c,u,i,e):
 n=i<6;e.a('swa','windowed layers'if n else'full layers');a=256 if n else-1
 if n and e.ledger is None and d.size(1)in ee:o=d.size(2)!=c.size(2);s=d.transpose(1,2),c.transpose(1,2),u.transpose(1,2);r=flex_attention(*s,block_mask=ee[d.size(1)],enable_gqa=o);return r.transpose(1,2)
 return aN(Z,d,c,u,a,e)
def aS(model,a,ctx,cap):ctx.a('tanh_softcap','caps');return cap*t.tanh(a/cap)
def aT(n,a,e):e.a('tied_head','heads');return tR(n,e.g['tok_emb.weight'],a,'head',0,0,e)
def aU(t):n=tuple(range(11));return n[:len(n)//2],n[len(n)//2:]
def aV(a,i,e):
 if i not in(9,10):return a
 e.a('value_embedding','layers')
 if've'not in e.memo:o=r.embedding(e.ids,e.g['ve_shared.embed.weight']);o=r.linear(o,e.g['ve_shared.proj.weight'].to(o.dtype));e.memo['ve']=o*e.g['ve_shared.scale'].to(o.dtype)
 n=e.g[f"ve_layer_scales.{it.index(i)}"];s=e.memo['ve'];return a+n.to(a.dtype)*s
def aW(a,n,i,e):
 if i<0:return a
 e.a('xsa','layers');o=t.unflatten(a,2,(n.size(2),-1));s=r.normalize(n,dim=-1)[:,:,:,None,:];return(o-(o*s).sum(-1,keepdim=True)*s).flatten(2,3)
def aX(data):d=lzma.compress(data,preset=9);m.i('lzma',f"{len(data)} -> {len(d)} bytes");return d
def aY(data,a):
 d=lzma.LZMADecompressor(memlimit=2**27);e=d.decompress(data,a)
 if not d.eof or d.unused_data:raise ValueError(f"wanted one whole stream of at most {a} bytes")
 return e
def aZ(o):e=io.BytesIO();n={s.intern(a):{s.intern(r):c for(r,c)in i.items()}for(a,i)in o.items()};t.save(n,e);return e.getvalue()
def oe(data):return t.load(io.BytesIO(data),map_location='cpu',weights_only=True)
def ot(o):s=aZ(o);m.i('torch_save',f"{len(o)} tensors in {len(s)} bytes");return s
def oa(data):return oe(data)
def oo():
 try:e=SentencePieceProcessor(el)
 except(OSError,RuntimeError)as i:raise OSError(f"{el}: not a SentencePiece model")from i
 if len(e)>1024:raise ValueError(f"{el} has {len(e)} pieces, wanted at most vocab_size=1024")
 if e.piece_to_id('\u2581')==e.unk_id():raise ValueError(f"{el}: U+2581 is not a piece of its own")
 return e
def oi(e):
 o=[(0,0,1)]*1024
 for n in range(len(e)):
  if not(e.is_control(n)or e.is_unknown(n)or e.is_unused(n)):a=e.id_to_piece(n);s=a.startswith('\u2581');o[n]=1 if e.is_byte(n)else len(a.encode())-3*s,s,0
 return t.tensor(o).T
def on(c):
 global ix,ik,ic,iv
 if any(i(ei).glob('*_bytes_*')):raise ValueError(f"{ei}: it has byte side files, build with the plugin that reads them")
 e=oi(oo());iv,ik,ix=e.to(l);ic=c
def os(n,e,a):ic.count('sentencepiece_bytes','targets',e.numel());u=iv[e]+(ik[e]&~ix[n]);return u
def oh(a,c):
 global ef,ip,iu,ep,im;ef=tT(a)
 for r in ef:tU(r)
 iu=h;im=n;ip=c;ep=P(ef[0])
def ol(n):
 global ep;i=[]
 while n>0:
  if not len(ep):ef.append(ef.pop(0));ep=P(ef[0])
  i.append(ep[:n]);ep=ep[n:];n-=len(i[-1])
 return X.concatenate(i)
def od(n,e):a=ol(im*(n+1)).reshape(im,-1)[iu];a=t.from_numpy(a.astype(int));ip.count('sequential_loader','batches');return a[:-1].reshape(-1,e),a[1:].reshape(-1,e)
def oc(e):n=min(64,4096);s=e-1;a=range(0,max(s-(4096-n),1),n);return[Span(r,min(r+4096,s),0 if r==0 else 4096-n)for r in a]
def ou(c):global ig;p=[{'params':r,'spec':l}for(l,r,i)in c];ig=t.optim.AdamW(p,betas=(.9,.95),eps=1e-08,fused=True)
def om(a,c):
 for o in ig.param_groups:o['lr']=o['spec'].lr*a.o;o['weight_decay']=o['spec'].weight_decay*a.G
 ig.step();c.count('adam','steps')
@t.no_grad()
def of(r,i):global eg,iw;iw=0;eg=[e.detach().float().clone()for e in r]
@t.no_grad()
def op(r,y,a):global iw;iw+=1;t._foreach_mul_(eg,.997);t._foreach_add_(eg,[e.detach().float()for e in r],alpha=1-.997)
@t.no_grad()
def og(r):
 for(e,n)in zip(r,eg,strict=True):e.copy_(n)
 m.count('ema','updates',iw)
def ow(r,names,ledger,max_norm):Y.utils.clip_grad_norm_(r,max_norm);ledger.count('grad_clip','steps')
def oy(e,a,ledger,start,final,steps):n=min(e.step/steps,1.)if steps>0 else 1.;u=(1-n)*start+n*final;ledger.i('momentum_warmup',f"momentum {u:.4f} at step {e.step}");return a._replace(momentum=u)
def ob(tensor,t,names,lr,a,ledger,weight_decay):tensor.mul_(1-lr*weight_decay*a.G);ledger.count('muon_weight_decay','tensors decayed')
def ov(o,steps,scale_first):
 n=o.shape[-2]>o.shape[-1]
 if n:o=o.mT
 o=o/(o.norm(dim=(-2,-1),keepdim=True)+1e-07)
 for m in range(steps):e=o@o.mT;a=2.0315*e@e if scale_first else 2.0315*(e@e);o=3.4445*o+(-4.775*e+a)@o
 return o.mT if n else o
class MuonBank(e):weight:e;names:e;K:e;full:e;E:e;momentum:e;u:e
def ok(r,i):
 global ew,iz;iz=eK();ew=[];w=t.bfloat16 if l.type=='cuda'else t.float32
 for(s,p)in sorted(zip(r,i,strict=True),key=lambda q:-q[0].numel()):*m,o,v=s.shape;e=-(-len(p)//n);f=(*p,*['']*e*n)[e*h:][:e];b=[(c,o,v)for c in(e*n,e)];d,a=[t.zeros(y,dtype=w,device=l)for y in b];g,u=[t.zeros(y,dtype=t.bfloat16,device=l)for y in b];ew.append(MuonBank(s,p,f,d,a,u,g))
def ox():
 global iy;iy=[]
 for e in ew:o=ex(e.weight).bfloat16();e.full.flatten()[:o.numel()].copy_(o.flatten());iy.append(eq(e.E,e.full))
def oj(a,c):
 s=[]
 for(e,i)in zip(ew,iy,strict=True):
  eA(i);d=n;o=(e.E/d).bfloat16();t=eO(o,e.momentum,a.momentum);t=eL(t,e.K);s.append((e,ez(e.u,t),t))
  if len(s)>1:oq(*s.pop(0),a,c)
 for r in s:oq(*r,a,c)
def oq(e,i,t,a,c):eA(i);s=e.weight;o=e.u.flatten()[:s.numel()].view_as(s);eM(s,o,e.names,eP(s),a,c);c.count('parallel_muon','bank updates');c.count('newton_schulz','matrices',e.u.size(0))
def U():global ib;ib=d.perf_counter()-et
def oz():
 global et
 if t.cuda.is_available():t.cuda.synchronize()
 et=d.perf_counter()-ib;m.i('wall_clock',f"{et:.3f} seconds")
def oA(o):return 1e3*(d.perf_counter()-ib)
def oB(e,length):
 if length<=0:return 1.
 if e.v>0:a=length*(e.k/max(e.step,1));return min(max(e.v-e.k,.0)/max(a,1e-09),1.)
 n=e.J-e.step;return n/length if 0<n<=length else 1.
def oC(e,a,ledger,length):n=oB(e,length);ledger.i('warmdown_iters',f"multiplier {n:.4f} at step {e.step}");return a._replace(o=a.o*n)
def oD(model,weight,t,i,a,ctx,half):
 if not t.startswith(('attn.','mlp.'))or not ctx.training or'bank_qat'not in ctx.phases:return weight
 ctx.a('bank_qat','matrices');d,o=eS(weight.detach().float(),half);return weight+(G(d,o,weight.dtype)-weight).detach()
def oE(e,threshold):return e.o<threshold
class Trial(e):codes:e;step:e;error:e
class oF:
 name='int6'
 def __init__(n,e):n.floor=.03225806451612903;n.B=e
 def encode(n,name,tensor,statistics,ledger):
  if tensor.numel()<=65536 or tensor.ndim!=2:ledger.count('clip_search','tensors kept');return{'kept':tensor.half()}
  ledger.count('clip_search','tensors quantized');s,t=tensor.float(),None
  for o in eT(s,n.floor):i=D()if t else ledger;d=n.B(name,s,o,31,statistics,i);t=oH(t,oG(s,d,o,statistics))
  return{'codes':t.codes,'step':t.step}
 def I(n,i,r,u):
  m.count('clip_search','tensors quantized',len(i));g=[e.float()for e in r];y=[eT(s,n.floor)for s in g];t=[None]*len(i);q=n.B
  for a in range(len(y[0])):
   c=[p for(p,b)in enumerate(y)if not any(b[a].equal(w)for w in b[:a])];T=[[f[p]for p in c]for f in(i,g)];h=[u[p]for p in c];b=[y[p][a]for p in c];l=q.solve(*T,b,31,h,D()if a else m)if c else[]
   for(p,d,o)in zip(c,l,b,strict=True):t[p]=oH(t[p],oG(g[p],d,o,u[p]))
  return[{'codes':v.codes,'step':v.step}for v in t if v]
 def decode(n,name,parts,kind):return eW(parts,kind)
def oG(s,d,o,u):
 if'hessian'in u:m=u['hessian'].diagonal()==0;return Trial(d,o,eU(s.masked_fill(m,.0),d.masked_fill(m,0),o))
 return Trial(d,o,eU(s,d,o))
def oH(w,c):
 if w is None:return c
 e=c.error<w.error;return Trial(*(t.where(e,a,n)for(n,a)in zip(w,c,strict=True)))
class oI:
 R='hessian',
 def __init__(n):n.block=128;n.P=.0201
 def __call__(n,name,weight,step,e,u,ledger):return n.solve([name],[weight],[step],e,[u],ledger)[0]
 def solve(n,names,weights,steps,top,statistics,ledger):
  for(a,h)in zip(names,statistics,strict=True):
   if'hessian'not in h:raise ValueError(f"{a} has no input statistics, which gptq needs")
  T,z,v=[],[],[]
  for(s,h)in zip(weights,statistics,strict=True):l,m=eX(h['hessian']);q=l.diagonal().argsort(descending=True,stable=True);T.append(q);z.append(l[q][:,q]);v.append(s.masked_fill(m,.0).T[q])
  w,f=oJ(t.stack(z)),t.stack(v);d,o=t.empty_like(f),t.stack(steps).float()
  for r in range(0,f.shape[1],n.block):oK(f,d,w,o,top,r,min(r+n.block,f.shape[1]))
  b=(~w.isfinite()).flatten(1).any(1).tolist();ledger.count('gptq','matrices rounded to nearest, whose Hessian has no Cholesky factor',sum(b));ledger.count('gptq','matrices',len(names)-sum(b));return[E(weights[p],o[p],top)if b[p]else d[p,q.argsort()].T.contiguous().to(t.int8)for(p,q)in enumerate(T)]
def oJ(l):e,b=t.linalg.cholesky_ex(l);n,a=t.linalg.cholesky_ex(t.cholesky_inverse(e),upper=True);return t.where((b+a>0)[...,None,None],t.nan,n)
def oK(f,d,w,o,e,r,s):
 a=t.empty_like(f[:,r:s])
 for n in range(r,s):d[:,n]=(f[:,n]/o).round().clamp(-e,e);i=(f[:,n]-d[:,n]*o)/w[:,n,n,None];f[:,n:s]-=w[:,n,n:s,None]*i[:,None];a[:,n-r]=i
 f[:,s:]-=w[:,r:s,s:].mT@a
def oL(u):
 i=[(a,r)for a in sorted(u)for r in sorted(u[a])]
 for(s,e)in enumerate(k(i)):
  if e!=i:o=sorted({*i}^{*e})[0][0];raise ValueError(f"ranks {h} and {s} have statistics of different matrices, such as {o}")
 for(a,r)in i:ek(u[a][r]).div_(n);m.count('hessian_all_reduce',f"statistics over {n} ranks")
 return u
class V:
 name='int8'
 def __init__(n,half):n.half=half
 def encode(n,name,tensor,statistics,ledger):
  if tensor.numel()<=65536:ledger.count('int8','tensors kept');return{'kept':tensor.half()if n.half else tensor.float()}
  ledger.count('int8','tensors quantized');d,o=eV(tensor.float());return{'codes':d,'step':o}
 def decode(n,name,parts,kind):return eW(parts,kind)
def oM():
 e=64//n
 for u in range(h*e,(h+1)*e,8):s=range(u,min(u+8,(h+1)*e));a=t.stack([oO(o)for o in s]);m.count('self_calibration','sequences',len(a));yield oN(a.to(l))[:,:-1]
def oN(a):
 i=(a[:,:1]*1024).long()
 for p in range(1,a.shape[1]):e=oQ(oP(i)/.8,a[:,p:p+1]);i=t.cat((i,e),1)
 return i
def oO(o):return t.rand(4096,generator=eE(f"self_calibration {o}"))
def oP(i):d={};e=Context(i,S(),False,p.matrices(),{},d,None,None,None);return p.logits(p.q(i,e)[:,-1:],e)[:,0].float()
def oQ(a,e):n=a.softmax(1).cumsum(1)<=e;return n.sum(1,keepdim=True).clamp_max(a.shape[1]-1)
def oR():return Param('qo_bank',(22,512,512),'matrix','attn',(T,A),'banks',p=('blocks.{}.attn.c_q.weight','blocks.{}.attn.proj.weight'),reduction='sharded'),Param('kv_bank',(22,256,512),'matrix','attn',(T,T),'banks',p=('blocks.{}.attn.c_k.weight','blocks.{}.attn.c_v.weight'),reduction='sharded'),Param('mlp_up_bank',(11,1536,512),'matrix','mlp',(T,),'banks',p=('blocks.{}.mlp.fc.weight',),reduction='sharded'),Param('mlp_down_bank',(11,512,1536),'matrix','mlp',(A,),'banks',p=('blocks.{}.mlp.proj.weight',),reduction='sharded'),Param('skip_weights',(5,512),'scalar','control',B,'additive_skips'),Param('bigram.embed.weight',(3072,112),'embed','aux',A,'bigram_hash','activation'),Param('bigram.proj.weight',(512,112),'scalar','aux',T,'bigram_hash'),Param('bigram.scale',(),'scalar','control',a(C,value=.05),'bigram_hash'),Param('blocks.{}.attn.q_gain',(8,),'scalar','control',a(C,value=2.5),'qk_gain',layers=11),Param('blocks.{}.attn_scale',(512,),'scalar','control',B,'residual_scales',layers=11),Param('blocks.{}.mlp_scale',(512,),'scalar','control',B,'residual_scales',layers=11),Param('blocks.{}.resid_mix',(2,512),'scalar','control',ax,'residual_scales',layers=11),Param('smear.gate',(512,),'scalar','control',A,'smear_gate'),Param('tok_emb.weight',(1024,512),'embed','embed',a(eG,std=.005),'tied_head','activation',y='head'),Param('ve_shared.embed.weight',(1024,128),'embed','aux',a(eG,std=.01),'value_embedding','activation'),Param('ve_shared.scale',(),'scalar','control',a(C,value=.1),'value_embedding'),Param('ve_layer_scales.{}',(1,),'scalar','control',B,'value_embedding',layers=2),Param('ve_shared.proj.weight',(256,128),'scalar','aux',T,'value_embedding')
def oS():global ec;ec='swa';eR(aQ())
oU=a(ob,weight_decay=.04),
Z=None
ee={}
et=.0
oV=a(ow,max_norm=.3),
oW=Group('embed',.035,.04),Group('scalar',.025,.04)
oX=a(aS,cap=3e1),
oY=a(ov,scale_first=False)
ea=None
g=Phase('bank_qat',a(oE,threshold=.15),False,'bank_qat'),
oZ='adam','additive_skips','bank_qat','banks','bigram_hash','clip_search','cross_entropy','ema','gptq','grad_clip','hessian_all_reduce','int8','leaky_relu2','ln_scale','lzma','momentum_warmup','muon_weight_decay','newton_schulz','ortho_init','parallel_muon','partial_rope','pko','qk_gain','residual_scales','self_calibration','sentencepiece_bytes','sequential_loader','sequential_wiring','sliding_eval','smear_gate','swa','tanh_softcap','tied_head','torch_save','unet_plan','value_embedding','wall_clock','warmdown_iters','xsa'
ie=a(oy,final=.99,start=.92,steps=1500),a(oC,length=4000)
eo={'attn':oF(oI()),'aux':V(True),'control':V(False),'embed':V(True),'mlp':oF(oI())}
it=9,10
ia=a(oD,half=True),
if __name__=='__main__':ao(oR())